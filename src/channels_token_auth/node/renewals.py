"""Have the clients of many sockets renew their tokens, a slice in each turn of the event loop."""

import asyncio
from collections.abc import Callable

from ..observability.error_log import log_error
from ..tasks import spawn
from .bulk_close import SLICE
from .member import Member

__all__ = ["renew_all"]


def renew_all(members: list[Member], deadline: float, *, only_if: Callable[[Member], bool]) -> None:
    """Bring the deadline of these sockets forward to an epoch time. Empties the list.

    `only_if` is called for each socket just before, since it may have another token by then.
    """
    if len(members) > SLICE:
        spawn(_renew_in_slices(members, deadline, only_if))
    else:
        _renew_slice(members, deadline, only_if)


async def _renew_in_slices(
    members: list[Member], deadline: float, only_if: Callable[[Member], bool]
) -> None:
    while members:
        _renew_slice(members, deadline, only_if)
        # As in a bulk close: let other sockets exchange frames between two slices.
        await asyncio.sleep(0)


def _renew_slice(members: list[Member], deadline: float, only_if: Callable[[Member], bool]) -> None:
    for member in members[-SLICE:]:
        try:
            if only_if(member):
                member.renew_by(deadline)
        except Exception as error:  # noqa: BLE001 - change the others all the same
            log_error("The deadline of a socket could not be brought forward.", error)
    del members[-SLICE:]
