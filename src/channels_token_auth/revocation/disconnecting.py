"""Close sockets without revoking their tokens, on every node."""

from dataclasses import asdict
from typing import Any

from ..backends.sources.users import named_user
from ..core.close_codes import CloseReason
from ..core.labels import read_labels
from ..core.revocation import Revocation
from ..core.revocation.criteria import ANY, given, named_address, named_text
from ..core.token_names import NamedToken
from ..tasks import asynchronous
from ..tenants.site import sockets_here
from ..verification.authenticator import site_authenticator
from .identification import hidden, named_tokens
from .known_names import require_known, require_known_labels
from .on_commit import after_commit, site_database

__all__ = ["adisconnect", "disconnect", "disconnect_known"]


def disconnect(
    *,
    user: Any = ANY,
    token: Any = ANY,
    backend: str = ANY,
    issuer: str = ANY,
    label: Any = ANY,
    connection_id: str = ANY,
    address: str = ANY,
    code: CloseReason = CloseReason.TOKEN_REVOKED,
) -> None:
    """Close the sockets that match every argument, on every node. Their tokens stay valid.

    `user`: an instance or a primary key, as in `revoke_user`. `token`: the token, its `token_id`,
    or a socket's `scope["auth"]`, which also has its backend and issuer. `backend`, `issuer`: the
    name of the token's backend, and the token's issuer. `label`: as in `revoke`. `connection_id`,
    `address`: as in the result of `connections`. The clients receive `code`, a `CloseReason` or its
    slug: after "token_revoked" they stop, after "unavailable" they reconnect by themselves. Raises
    TypeError if no argument but `code` is given, for None, for an empty text and for an unsaved
    user; ValueError for an unknown code, for a text that is no address, and for a backend, an
    issuer or a label's name that no token has; and TokenAuthError ("unavailable") while a store
    that may know the token fails.
    """
    token = hidden(token)
    texts = named_text(backend=backend, issuer=issuer, connection_id=connection_id)
    texts |= named_address(address)
    others = given(user=user, token=token, label=label)
    backends = [backend] if "backend" in texts else None
    require_known(backends=backends, issuer=texts.get("issuer"))
    if "label" in others:
        require_known_labels(read_labels(label), backends=backends)
    disconnect_known(**others, **texts, code=code)


adisconnect = asynchronous(disconnect)


def disconnect_known(
    *,
    user: Any = None,
    token: Any = None,
    backend: str | None = None,
    issuer: str | None = None,
    label: Any = None,
    connection_id: str | None = None,
    address: str | None = None,
    code: CloseReason = CloseReason.TOKEN_REVOKED,
) -> None:
    """Close sockets as `disconnect` does, by names that this process may not know."""
    token = hidden(token)
    criteria = (user, token, backend, issuer, label, connection_id, address)
    if all(each is None for each in criteria):
        raise TypeError("disconnect() needs a user, token, label, connection_id or address.")
    values = {
        "labels": frozenset() if label is None else read_labels(label),
        "connection_id": connection_id,
        "address": address,
    }
    whose = None if user is None else named_user(user)
    closings = [
        Revocation(target=sockets_here(whose, **values, **each), code=CloseReason(code))
        for each in _tokens(token, backend=backend, issuer=issuer)
    ]
    # Not reported as revocations: the tokens are still valid.
    after_commit(closings, [], using=site_database(), is_reported=False)


def _tokens(token: Any, **names: str | None) -> list[dict[str, Any]]:
    """Return the fields of one target for each token that the arguments may name."""
    wanted = {name: value for name, value in names.items() if value is not None}
    if token is None:
        return [wanted]  # one target, for the other arguments
    named: list[NamedToken] = named_tokens(site_authenticator(), token)
    # A token that is known to be of another backend or issuer matches no socket.
    return [
        {**known, **wanted}
        for known in map(asdict, named)
        if all(known[name] in (None, value) for name, value in wanted.items())
    ]
