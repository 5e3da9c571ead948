"""The public functions that list open sockets: they check the names by which a caller selects."""

import math
from typing import Any

from asgiref.sync import sync_to_async

from .cluster import connections as cluster
from .cluster.connections import LIMIT, TIMEOUT, Connections, blocking
from .core.labels import read_labels
from .core.revocation.criteria import ANY, given, named_address, named_text
from .revocation.known_names import require_known, require_known_labels

__all__ = ["aconnections", "connections"]


async def aconnections(
    *,
    user: Any = ANY,
    token_id: str = ANY,
    backend: str = ANY,
    issuer: str = ANY,
    label: Any = ANY,
    connection_id: str = ANY,
    address: str = ANY,
    node: str = ANY,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,  # noqa: ASYNC109 - the nodes', not ours
) -> Connections:
    """Return the open sockets that match all arguments, at most `limit` of each node.

    `user`: an instance or a primary key, as in `revoke_user`; without it, the sockets of all users.
    `token_id`: a token's public id, unique for its `backend` and `issuer` only. `label`: a mapping
    such as `{"sid": "abc"}`, a pair, or several pairs, of which a token has to have all. `node`:
    the name of a node, or of a process or a machine for all its nodes. `timeout`: seconds in which
    nodes may answer; it returns soon after all have answered. Raises TypeError for None, for an
    empty text, for malformed labels and for an unsaved user; ValueError for a limit over 1,000, for
    an infinite timeout, for a malformed address, and if no socket matches and no backend has this
    name, this issuer or such labels.
    """
    asked = _asked(**locals())
    found = await cluster.aconnections(**asked)
    # Not before: the backend of a socket may be that of a route, which this process lacks.
    if not found.total:
        await sync_to_async(_require_known)(**asked)
    return found


def _connections(**which: Any) -> Connections:
    asked = _asked(**which)
    found = cluster.connections(**asked)
    if not found.total:
        _require_known(**asked)
    return found


connections = blocking(aconnections, _connections)


def _asked(
    *,
    user: Any = ANY,
    label: Any = ANY,
    address: str = ANY,
    limit: int = LIMIT,
    timeout: float = TIMEOUT,
    **texts: str,
) -> dict[str, Any]:
    """Return the arguments that were given, and those with a value of their own by default."""
    if not 0 <= timeout < math.inf:
        raise ValueError(f"timeout is {timeout}: it must be a number of seconds, 0 or more.")
    named = named_text(**texts) | named_address(address) | given(user=user, label=label)
    return {**named, "limit": limit, "timeout": timeout}


def _require_known(
    *, backend: str | None = None, issuer: str | None = None, label: Any = (), **_: Any
) -> None:
    backends = None if backend is None else [backend]
    require_known(backends=backends, issuer=issuer)
    require_known_labels(read_labels(label) if label else (), backends=backends)
