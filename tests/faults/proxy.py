"""A TCP way to a Unix socket, whose connections can be made to lead nowhere."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer

__all__ = ["Proxy", "proxy_to"]


class Proxy(ThreadingTCPServer):
    """`swallowed` is set once something was sent on a connection that leads nowhere."""

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passage)
        self.path = path
        self.passages: set[_Passage] = set()
        self.swallowed = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def cut_off(self) -> None:
        """From now on the open connections stay open and swallow every byte; new ones work."""
        for passage in self.passages:
            passage.leads_nowhere = True


@contextmanager
def proxy_to(path: str) -> Iterator[Proxy]:
    """A running proxy. It ends when its clients have hung up."""
    with Proxy(path) as proxy:
        threading.Thread(target=proxy.serve_forever, args=[0.05]).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()


class _Passage(BaseRequestHandler):
    leads_nowhere = False

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as store:
            store.connect(self.server.path)
            self.server.passages.add(self)
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
