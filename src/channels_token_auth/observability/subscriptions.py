"""Call the subscribers of an event's kind: at once, or together with others after a turn."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from .error_log import log_error
from .turns import finish_turn, is_turn_unfinished, run_after_turn

__all__ = ["Event", "emit", "emit_soon", "subscribe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The base class of events. Each subclass is a kind with its own subscribers.

    `at`: when it happened, in seconds since the epoch.
    """

    at: float = field(default_factory=time.time, compare=False, repr=False)
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
    # First the earlier ones, so that a subscriber gets all events of a thread in their order.
    if is_turn_unfinished():
        finish_turn()
    _deliver(event)


def emit_soon(event: Event) -> None:
    """Call the subscribers after this turn of the event loop. Outside of a loop: at once.

    For what each socket causes. The client gets its answer first. And the code of the subscribers
    runs for many events in a row, while it is in the processor's caches: that saves a quarter.
    """
    run_after_turn(_deliver, event)


def _deliver(event: Event) -> None:
    for each in event._subscriptions:  # noqa: SLF001 - of this module
        try:
            # Another subscriber may be the reason why the event was built.
            if each.wants is None or each.wants():
                each.handle(event)
        except Exception as error:  # noqa: BLE001 - whatever a subscriber raises
            # The emitter may be in the middle of a handshake, which no subscriber may end.
            log_error(f"A subscriber of {type(event).__name__} failed.", error, often=True)
