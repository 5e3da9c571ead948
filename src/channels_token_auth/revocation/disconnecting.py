"""Close sockets without revoking their tokens, on every node."""

from typing import Any

from asgiref.sync import sync_to_async

from ..backends.sources.users import named_user
from ..core.close_codes import CloseReason
from ..core.labels import read_labels
from ..core.revocation import Revocation
from ..tenants.site import sockets_here
from .on_commit import after_commit, site_database
from .tokens import token_id

__all__ = ["adisconnect", "disconnect"]


def disconnect(
    *,
    user: Any = None,
    token: Any = None,
    connection_id: str | None = None,
    address: str | None = None,
    label: Any = None,
    code: CloseReason = CloseReason.TOKEN_REVOKED,
) -> None:
    """Close the sockets that match every argument, and revoke nothing: clients may come again.

    `label`: as in `revoke`. The clients get `code`: after "token_revoked" they stop, after
    "unavailable" they reconnect by themselves. Raises TypeError if no argument names a socket.
    """
    if user is token is connection_id is address is label is None:
        raise TypeError("disconnect() needs a user, token, label, connection_id or address.")
    target = sockets_here(
        None if user is None else named_user(user),
        labels=frozenset() if label is None else read_labels(label),
        token_id=None if token is None else token_id(token),
        connection_id=connection_id,
        address=address,
    )
    closing = Revocation(target=target, code=CloseReason(code))
    after_commit([closing], [], using=site_database(), is_told=False)


async def adisconnect(**which: Any) -> None:
    """`disconnect` for asynchronous code."""
    await sync_to_async(disconnect)(**which)
