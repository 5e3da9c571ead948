"""Measure how long a client sends nothing, without resetting a timer for every frame."""

__all__ = ["IDLE_RETRY_AFTER", "Idle"]

IDLE_RETRY_AFTER = 1
"""Seconds that a client waits at least before it reconnects after an idle close."""


class Idle:
    """The idle time of one client. After `seconds` of it the socket is closed.

    A client is idle while the server waits for a frame and none comes. While the application does
    not call `receive`, frames may be waiting unread, so that time does not count as idle.
    """

    __slots__ = ("_listens_since", "_seconds", "due")

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._listens_since: float | None = None
        self.due = now + seconds
        """When to call `tick`. Frames do not move it: each tick takes them into account."""

    @property
    def is_listening(self) -> bool:
        """Return whether the server waits for a frame."""
        return self._listens_since is not None

    def listen(self, now: float) -> None:
        """Note that the server begins to wait for a frame."""
        self._listens_since = now

    def receive(self) -> None:
        """Note that a frame has come."""
        self._listens_since = None

    def tick(self, now: float) -> bool:
        """Return whether the client has been idle for too long; if not, set `due` again."""
        since = now if self._listens_since is None else self._listens_since
        self.due = since + self._seconds
        return now >= self.due
