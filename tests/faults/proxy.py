"""A TCP way to a service, whose connections can be made to lead nowhere, or be cut."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

__all__ = ["Proxy", "proxy_to"]


Address = str | tuple[str, int]
"""A Unix socket's path, or a host and a port."""


class Proxy(ThreadingTCPServer):
    """`swallowed` is set once something was sent on a connection that leads nowhere."""

    def __init__(self, address: Address) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.address = address
        self.refuses = False
        self.passages: set[_Passage] = set()
        self.swallowed = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut_off(self) -> None:
        """From now on the open connections stay open and swallow every byte; new ones work."""
        for passage in list(self.passages):  # other threads add theirs
            passage.leads_nowhere = True

    def kill(self) -> None:
        """End all connections, as a killed service does; refuse new ones until `revive`."""
        self.refuses = True
        for passage in list(self.passages):
            with suppress(OSError):  # it has ended meanwhile
                passage.request.shutdown(socket.SHUT_RDWR)

    def revive(self) -> None:
        """Let new connections through again."""
        self.refuses = False


@contextmanager
def proxy_to(address: Address) -> Iterator[Proxy]:
    """A running proxy. It ends when its clients have hung up."""
    with Proxy(address) as proxy:
        threading.Thread(target=proxy.serve_forever, args=[0.05]).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Passage(BaseRequestHandler):
    leads_nowhere = False

    def handle(self) -> None:
        address = self.server.address
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with socket.socket(family) as store, suppress(ConnectionError):
            # Before it asks: a passage that `kill` does not find yet must not be let through.
            self.server.passages.add(self)
            if self.server.refuses:
                return
            store.connect(address)
            opposite = {self.request: store, store: self.request}
            while True:
                for end in select.select([*opposite], [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if self.leads_nowhere:
                        self.server.swallowed.set()
                    else:
                        opposite[end].sendall(data)
