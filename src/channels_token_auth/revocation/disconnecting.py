"""Close sockets without revoking their tokens, on every node."""

from dataclasses import asdict
from typing import Any

from asgiref.sync import sync_to_async

from ..backends.sources.users import named_user
from ..core.close_codes import CloseReason
from ..core.labels import read_labels
from ..core.revocation import Revocation
from ..core.token_names import NamedToken
from ..tenants.site import sockets_here
from ..verification.authenticator import site_authenticator
from .identification import named_tokens
from .on_commit import after_commit, site_database

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
    """Close the sockets that match every argument. Their tokens stay valid.

    `token`: the token, its `token_id`, or a socket's `scope["auth"]`, which also has its backend
    and issuer. `label`: as in `revoke`. The clients receive `code`: after "token_revoked" they
    stop, after "unavailable" they reconnect by themselves. Raises TypeError if no argument is
    given.
    """
    if user is token is connection_id is address is label is None:
        raise TypeError("disconnect() needs a user, token, label, connection_id or address.")
    values = {
        "labels": frozenset() if label is None else read_labels(label),
        "connection_id": connection_id,
        "address": address,
    }
    whose = None if user is None else named_user(user)
    closings = [
        Revocation(target=sockets_here(whose, **values, **each), code=CloseReason(code))
        for each in _tokens(token)
    ]
    # Not reported as revocations: the tokens are still valid.
    after_commit(closings, [], using=site_database(), is_reported=False)


def _tokens(token: Any) -> list[dict[str, Any]]:
    """Return the fields of one target for each token that the argument may name."""
    if token is None:
        return [{}]  # one target, for the other arguments
    named: list[NamedToken] = named_tokens(site_authenticator(), token)
    return [asdict(each) for each in named]


async def adisconnect(**which: Any) -> None:
    """`disconnect` for asynchronous code."""
    await sync_to_async(disconnect)(**which)
