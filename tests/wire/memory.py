"""Send what inflates to a thousand times its size, and see how much memory the server takes."""

import re
import zlib
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.wire.client import TEXT, Socket
from tests.wire.servers import Server

__all__ = ["CLIENTS", "INFLATED_BYTES", "compresses", "growth", "large_frame_is_refused"]

CLIENTS = 40
INFLATED_BYTES = 15_000_000
PATIENCE = 120.0  # seconds for a server to close; it only ends what hangs
TARGET = "/messages/bare/memory"  # a first message is awaited, and nobody is authenticated
OFFER = "Sec-WebSocket-Protocol: token-auth.v1"
COMPRESSION = "Sec-WebSocket-Extensions: permessage-deflate"
LARGE = 128 * 1024


def compresses(server: Server) -> bool:
    """Return whether the server accepts permessage-deflate (RFC 7692)."""
    with _open(server) as socket:
        return "permessage-deflate" in socket.headers.get("sec-websocket-extensions", "")


def growth(server: Server) -> int:
    """Return by how many MiB the server's memory grows while clients send bombs at once."""
    bomb = _bomb()
    before = _mebibytes(server, "VmRSS")
    with ExitStack() as stack:
        sockets = [stack.enter_context(_open(server)) for _ in range(CLIENTS)]
        for socket in sockets:
            _send(socket, bomb, is_compressed=True)
        for socket in sockets:
            _wait_for_the_end(socket)
    return max(0, _mebibytes(server, "VmHWM") - before)


def large_frame_is_refused(server: Server) -> bool:
    """Return whether the server itself ends a socket that sends a frame of 128 KiB."""
    with _open(server) as socket:
        _send(socket, b"x" * LARGE, is_compressed=False)
        code = _wait_for_the_end(socket)
    # The library's own answers are 44xx; a server that hangs up at once may lose its code.
    return code is None or code < 4000


def _open(server: Server) -> Socket:
    socket = server.open(TARGET, [OFFER, COMPRESSION])
    assert isinstance(socket, Socket)
    return socket


def _send(socket: Socket, payload: bytes, *, is_compressed: bool) -> None:
    with suppress(OSError):  # the server may hang up amid it
        socket.send(payload, TEXT, is_compressed=is_compressed)


def _bomb() -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(b"a" * INFLATED_BYTES) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(b"\0\0\xff\xff")  # RFC 7692 §7.2.1


def _wait_for_the_end(socket: Socket) -> int | None:
    """Return the close code; None where the server hangs up without one."""
    try:
        return socket.read_until_close(PATIENCE).code
    except (EOFError, OSError):
        return None


def _mebibytes(server: Server, name: str) -> int:
    status = Path(f"/proc/{server.worker}/status").read_text()
    kibibytes = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    assert kibibytes, status
    return int(kibibytes[1]) // 1024
