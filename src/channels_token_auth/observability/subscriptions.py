"""Call the subscribers of an event's kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from .error_log import log_error

__all__ = ["Event", "emit", "subscribe"]


class Event:
    """The base class of events. Each subclass is a kind with its own subscribers."""

    __slots__ = ()
    _subscriptions: ClassVar[tuple["_Subscription", ...]] = ()

    @classmethod
    def is_wanted(cls) -> bool:
        """Return whether a subscriber wants events of this kind at the moment."""
        # A loop and no generator, which takes twice as long: each socket asks four times.
        for each in cls._subscriptions:  # noqa: SIM110
            if each.wants is None or each.wants():
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subscription:
    handle: Callable[[Any], None]
    wants: Callable[[], bool] | None


E = TypeVar("E", bound=Event)


def subscribe(
    kind: type[E], handle: Callable[[E], None], *, wants: Callable[[], bool] | None = None
) -> Callable[[], None]:
    """Call `handle` with each event of the kind. Return the function that ends the subscription.

    `handle` runs in the thread that emits, often an event loop's or that of the verifications: it
    returns at once and queries nothing. What it raises is logged. `wants`: a cheap function; while
    it returns False, this subscriber gets no events, and none are built for it. A `handle` that
    has subscribed already is called once all the same: Django may call `AppConfig.ready` again.
    """
    subscription = _Subscription(handle=handle, wants=wants)
    # A new tuple, and no list that changes: another thread may be iterating over it in `emit`.
    others = tuple(each for each in kind._subscriptions if each.handle != handle)  # noqa: SLF001 - of this module
    kind._subscriptions = (*others, subscription)  # noqa: SLF001 - as above

    def unsubscribe() -> None:
        left = tuple(each for each in kind._subscriptions if each is not subscription)  # noqa: SLF001 - as above
        kind._subscriptions = left  # noqa: SLF001 - as above

    return unsubscribe


def emit(event: Event) -> None:
    """Call the subscribers of the event that want it now. Their exceptions are logged."""
    for each in event._subscriptions:  # noqa: SLF001 - of this module
        try:
            # Another subscriber may be the reason why the event was built.
            if each.wants is None or each.wants():
                each.handle(event)
        except Exception as error:  # noqa: BLE001 - whatever a subscriber raises
            # The emitter may be in the middle of a handshake, which no subscriber may end.
            log_error(f"A subscriber of {type(event).__name__} failed.", error, often=True)
