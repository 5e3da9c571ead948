"""Store which services do not answer at the moment: channel layer, cache, token stores."""

from dataclasses import dataclass
from threading import Lock

from .events import OutageBegan, OutageEnded, subscribe
from .outage_watch import end_stale_outages

__all__ = ["Outage", "current_outages", "start"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A service that does not answer. `error`: its type and redacted text, where known."""

    service: str
    name: str
    error: str | None


_lock = Lock()
# By service and name, since a site may have several caches and layers.
_outages: dict[tuple[str, str], Outage] = {}


def start() -> None:
    """Subscribe to the events. Called once, when Django starts."""
    subscribe(OutageBegan, _begin)
    subscribe(OutageEnded, _end)


def current_outages() -> list[Outage]:
    """Return the services that this process could not reach when it last tried."""
    end_stale_outages()
    with _lock:
        return sorted(_outages.values(), key=lambda each: (each.service, each.name))


def _begin(event: OutageBegan) -> None:
    with _lock:
        _outages[event.service, event.name] = Outage(
            service=event.service, name=event.name, error=event.error
        )


def _end(event: OutageEnded) -> None:
    with _lock:
        _outages.pop((event.service, event.name), None)
