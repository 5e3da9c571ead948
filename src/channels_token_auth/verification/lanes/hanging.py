"""Limit the number of threads that were abandoned because their batch does not end."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["MAX_HANGING", "MAX_REMOTE", "Hanging"]

MAX_HANGING = 4
"""Most abandoned threads of one process. After that, a lane that hangs gets no new thread."""

MAX_REMOTE = 1
"""Most of them that belong to remote services. The others are reserved for the site's database:
after a failover, each thread may hang on a connection whose server is gone."""


@dataclass(slots=True)
class Hanging:
    """The abandoned threads of a process. Any thread may call it."""

    _threads: list[tuple[threading.Thread, bool]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def threads(self) -> Sequence[threading.Thread]:
        """Return the threads that were abandoned and have not ended yet."""
        with self._lock:
            return [thread for thread, _ in self._threads if thread.is_alive()]

    def admit(self, thread: threading.Thread, *, is_remote: bool) -> bool:
        """Add the thread and return True; or return False if there are too many."""
        with self._lock:
            # An abandoned thread ends when its service answers at last, and makes room for another.
            self._threads = [each for each in self._threads if each[0].is_alive()]
            remote = sum(each_is_remote for _, each_is_remote in self._threads)
            if len(self._threads) >= MAX_HANGING or (is_remote and remote >= MAX_REMOTE):
                return False
            self._threads.append((thread, is_remote))
            return True
