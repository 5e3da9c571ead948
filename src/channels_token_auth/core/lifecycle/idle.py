"""Measure how long a client sends nothing, without resetting a timer for every frame."""

__all__ = ["IDLE_RETRY_AFTER", "Idle"]

IDLE_RETRY_AFTER = 1
"""Seconds that a client waits at least before it reconnects after an idle close."""


class Idle:
    """The idle time of one client. After `seconds` of it the socket is closed.

    A client is idle while the server waits for a frame and none comes. While the application does
    not call `receive`, frames may be waiting unread, so that time does not count as idle.
    """

    __slots__ = ("_seconds", "due", "listens_since")

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        # Set for each frame, and so no method.
        self.listens_since: float | None = None
        """The time at which the server began to wait for a frame; None: it does not wait."""
        self.due = now + seconds
        """When to call `tick`. Frames do not move it: each tick takes them into account."""

    @property
    def is_listening(self) -> bool:
        """Return whether the server waits for a frame."""
        return self.listens_since is not None

    def tick(self, now: float) -> bool:
        """Return whether the client has been idle for too long; if not, set `due` again."""
        since = now if self.listens_since is None else self.listens_since
        self.due = since + self._seconds
        return now >= self.due
