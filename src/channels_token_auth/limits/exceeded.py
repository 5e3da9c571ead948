"""Build the refusal of a client over a limit, with the reason for the site's developers."""

from dataclasses import replace
from functools import lru_cache

from ..core.errors import Detail, TokenAuthError
from ..core.limits import Limit, Limits
from ..observability.events import LimitReached, emit

__all__ = ["exceeded", "exceeded_by"]

_DETAILS: dict[Limit, Detail] = {
    Limit.FAILURES: Detail(
        slug="limit_failures",
        remedy='An address presented too many bad tokens: see LIMITS["FAILURES"]. If it is the'
        " address of a proxy, set TRUSTED_PROXIES.",
    ),
    Limit.HANDSHAKES: Detail(
        slug="limit_handshakes",
        remedy='An address opened sockets too often: see LIMITS["HANDSHAKES"]. If it is the address'
        " of a proxy, set TRUSTED_PROXIES.",
    ),
    Limit.WAITING_ADDRESS: Detail(
        slug="limit_waiting_address",
        remedy="An address has too many sockets that are not authenticated yet: see"
        ' LIMITS["WAITING"]["address"]. If it is the address of a proxy, set TRUSTED_PROXIES.',
    ),
    Limit.WAITING_NODE: Detail(
        slug="limit_waiting_node",
        remedy="This node has too many sockets that are not authenticated yet: see"
        ' LIMITS["WAITING"]["node"]. If they are legitimate, raise it or start more nodes.',
    ),
    Limit.CONNECTIONS: Detail(
        slug="limit_connections",
        remedy='A user or a token has too many open sockets: see LIMITS["CONNECTIONS"]. Clients'
        " that open one for each tab may need more.",
    ),
    Limit.TICKETS: Detail(
        slug="limit_tickets",
        remedy='A token has too many tickets that were not redeemed: see LIMITS["TICKETS"]. A'
        " client should fetch a ticket just before it connects.",
    ),
    Limit.MESSAGES: Detail(
        slug="limit_messages", remedy='A user sent too many messages: see LIMITS["MESSAGES"].'
    ),
    Limit.BYTES: Detail(
        slug="limit_bytes", remedy='A user sent too many bytes: see LIMITS["BYTES"].'
    ),
    Limit.IDLE: Detail(
        slug="limit_idle",
        remedy='A client sent nothing for longer than LIMITS["IDLE"]: have it send auth.ping.',
    ),
}


def exceeded(limit: Limit, retry_after: int | None, value: object) -> TokenAuthError:
    """Emit that the limit was reached, and return the refusal. `retry_after`: whole seconds.

    `value`: the value of the setting, for the developer's log.
    """
    emit(LimitReached(limit=limit))
    return TokenAuthError(limit.code, retry_after, _detail(limit, str(value)))


def exceeded_by(limits: Limits, limit: Limit, retry_after: int) -> TokenAuthError:
    """Return the refusal for a limit of open sockets: `MESSAGES`, `BYTES` or `IDLE`."""
    return exceeded(limit, retry_after, getattr(limits, limit.value))


# The settings have few values, and a flood reaches a limit at each handshake.
@lru_cache(maxsize=64)
def _detail(limit: Limit, value: str) -> Detail:
    detail = _DETAILS[limit]
    return replace(detail, remedy=f"{detail.remedy} It is now {value}.")
