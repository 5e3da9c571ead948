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
        """What it was closed with."""

    def answers(self) -> bool:
        """Whether it is open, and somebody there answers."""
        if self.code is not None:
            return False
        self.socket.send("hello")
        return self._read().opcode == TEXT

    def has_ended(self) -> bool:
        """Whether a close has come by now."""
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
