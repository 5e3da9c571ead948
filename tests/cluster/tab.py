"""One socket of one person, as a test watches it."""

from tests.wire.client import Frame, Socket

__all__ = ["Tab"]

PING, PONG, TEXT = 0x9, 0xA, 0x1


class Tab:
    """Answers the server's pings whenever it is looked at."""

    def __init__(self, socket: Socket, person: int) -> None:
        self.socket = socket
        self.person = person
        self.code: int | None = None
        """The code of its close."""

    def answers(self) -> bool:
        """Return whether it is open and the server answers a message."""
        if self.code is not None:
            return False
        self.socket.send("hello")
        return self._read().opcode == TEXT

    def has_ended(self) -> bool:
        """Return whether a close has arrived."""
        while self.code is None and not self.socket.is_silent(0):
            self._read()
        return self.code is not None

    def closes(self, within: float) -> int | None:
        """The code it is closed with in so many seconds; raises TimeoutError where it is not."""
        while self.code is None:
            self._read(within)
        return self.code

    def _read(self, timeout: float = 60.0) -> Frame:
        """The next frame that means something to a person."""
        frame = self.socket.read(timeout)
        if frame.opcode == PING:
            self.socket.send(frame.payload, PONG)
            return self._read(timeout)
        if frame.closes:
            self.code = frame.code
            self.socket.drop()
        return frame
