"""A TCP connection with a buffer, whose every read has a deadline on the monotonic clock."""

import socket
import time

__all__ = ["Stream"]

SEND_DEADLINE = 60.0


class Stream:
    def __init__(self, port: int, timeout: float) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout)
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self._connection.settimeout(SEND_DEADLINE)
        self._connection.sendall(data)

    def read(self, size: int, deadline: float) -> bytes:
        while len(self._buffer) < size:
            self._fill(deadline)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def read_until(self, end: bytes, deadline: float) -> bytes:
        while end not in self._buffer:
            self._fill(deadline)
        data, _, self._buffer = self._buffer.partition(end)
        return data

    def read_body(self, headers: dict[str, str], deadline: float) -> bytes:
        if "content-length" in headers:
            return self.read(int(headers["content-length"]), deadline)
        if headers.get("transfer-encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.read_until(b"\r\n", deadline), 16):
            body += self.read(size, deadline)
            self.read(2, deadline)
        return body

    def peek(self, deadline: float) -> None:
        if not self._buffer:
            self._fill(deadline)

    def close(self) -> None:
        self._connection.close()

    def _fill(self, deadline: float) -> None:
        self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self._connection.recv(1 << 16)
        if not data:
            raise EOFError
        self._buffer += data
