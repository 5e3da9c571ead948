"""Measure how long a client sends nothing, without a timer that moves with every frame."""

__all__ = ["IDLE_RETRY_AFTER", "Idle"]

IDLE_RETRY_AFTER = 1
"""Seconds that a client waits at least which was closed because it sent nothing."""


class Idle:
    """The silence of one client. `seconds`: how much of it closes the socket.

    Silence is the time in which the server waits for a frame and none comes. While frames wait for
    a busy application, nobody knows if the client is silent: then it is not.
    """

    __slots__ = ("_listens_since", "_seconds", "due")

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._listens_since: float | None = None
        self.due = now + seconds
        """When to call `tick`. Frames do not move it: that is made up for at each tick."""

    @property
    def is_listening(self) -> bool:
        """Return whether the server waits for a frame."""
        return self._listens_since is not None

    def listen(self, now: float) -> None:
        """Note that the server begins to wait for a frame."""
        self._listens_since = now

    def hear(self) -> None:
        """Note that a frame has come."""
        self._listens_since = None

    def tick(self, now: float) -> bool:
        """Return whether the client has been silent for too long. Else `due` is set anew."""
        since = now if self._listens_since is None else self._listens_since
        self.due = since + self._seconds
        return now >= self.due
