"""Find out when services of one kind stop answering, and when they answer again.

The caller of a service reports how each call ended. The first failure of an outage is logged and
emitted, and so is the first success after it; all others cost a look into an empty dictionary.
"""

import logging
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import ref

from ..core.errors import TokenAuthError
from .error_log import describe_error
from .events import OutageBegan, OutageEnded, Service, emit
from .throttle import Throttle

__all__ = ["STALE", "OutageWatch", "end_stale_outages"]

STALE = 600.0
"""Seconds without another failure after which an outage counts as over. Some services are asked
rarely, as a cache that has tickets only: nobody would see that they answer again."""

logger = logging.getLogger("channels_token_auth")


@dataclass(slots=True)
class _Outage:
    """The failing services of one name, and whether the outage was logged."""

    is_logged: bool
    of: set[Hashable] = field(default_factory=set)
    failed_at: float = field(default_factory=time.monotonic)
    """When a call failed last."""


_watches: "list[ref[OutageWatch]]" = []


class OutageWatch:
    """The outages of one kind of service, in this process. Any thread may report.

    `began` and `ended` are log texts: `%r` is the service's name, and `%s` the error. None, if the
    caller logs.

    Several services may have one public name, such as a URL that is shown without its query. `of`
    distinguishes them, and is never shown: their outage lasts until the last of them answers.
    """

    def __init__(self, service: Service, *, began: str | None = None, ended: str = "") -> None:
        self._service = service
        self._began = began
        self._ended = ended
        self._lock = threading.Lock()
        self._throttle = Throttle()
        self._failing: dict[str, _Outage] = {}
        """The outages, by the name of their services."""
        _watches.append(ref(self, _watches.remove))

    def failed(self, name: str, error: BaseException, *, of: Hashable = None) -> None:
        """A call failed."""
        with self._lock:
            if name in self._failing:
                known = self._failing[name]
                known.of.add(of)
                known.failed_at = time.monotonic()
                return
            # A connection that comes and goes is one outage to an operator, not a flood of lines.
            is_logged = self._began is not None and self._throttle.allows(name)
            self._failing[name] = _Outage(is_logged, {of})
        # From here on without the lock: subscribers may run any code, and other threads report too.
        text = describe_error(error)
        if is_logged:
            logger.error(self._began, name, text)
        emit(OutageBegan(service=self._service, name=name, error=text))

    def works(self, name: str, *, of: Hashable = None) -> None:
        """A call was answered."""
        if not self._failing:  # read without the lock, since nearly every call ends here
            return
        with self._lock:
            outage = self._failing.get(name)
            if outage is None:
                return
            outage.of.discard(of)
            if outage.of:  # another service of this name still fails
                return
            del self._failing[name]
        # Log the end only where the beginning was logged, which the throttle may have prevented.
        if outage.is_logged:
            logger.warning(self._ended, name)
        emit(OutageEnded(service=self._service, name=name))

    @contextmanager
    def watch(self, name: str) -> Iterator[None]:
        """Report how the block inside ends. TokenAuthError is an answer, all else a failure."""
        try:
            yield
        except TokenAuthError:
            self.works(name)
            raise
        except Exception as error:
            # What this library raises for it has no text of its own: its cause has.
            self.failed(name, error.__cause__ or error)
            raise
        self.works(name)

    def end_stale(self) -> None:
        """End the outages whose last failure is `STALE`. Log nothing: the service was not asked."""
        if not self._failing:
            return
        until = time.monotonic() - STALE
        with self._lock:
            names = [name for name, each in self._failing.items() if each.failed_at <= until]
            for name in names:
                del self._failing[name]
        for name in names:
            emit(OutageEnded(service=self._service, name=name))

    def reset(self) -> None:
        """Forget all, as if every service had always answered: for other settings, in a test."""
        with self._lock:
            names = list(self._failing)
            self._failing.clear()
            self._throttle.reset()
        # Subscribers still have these outages in memory, and no later call would end them.
        for name in names:
            emit(OutageEnded(service=self._service, name=name))


def end_stale_outages() -> None:
    """End the outages of all services that failed long ago. For those who show what is down."""
    for each in _watches:
        watch = each()
        if watch is not None:
            watch.end_stale()
