"""Determine how a site's settings decide about one token, as in a handshake.

The token is verified. No socket is opened, and no audit record is written. A ticket cannot be
diagnosed, because verifying a ticket redeems it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from asgiref.sync import async_to_sync

from .. import conf
from ..core.asgi_types import Message, Scope
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.decision import Refuse, Verify
from ..core.handshake.extraction import PROTOCOL
from ..core.handshake.origin import OriginRule
from ..core.identity import Identity
from ..verification.authenticator import site_authenticator
from ..verification.route import Route

__all__ = ["Diagnosis", "diagnose"]

HOST = "localhost"
# The diagnosis is about the token: neither the location nor the Origin may cause a refusal.
LOCATIONS = frozenset({Location.HEADER, Location.COOKIE})
ANY_ORIGIN = OriginRule(hosts=("*",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The result for one token.

    `identity`: None if no backend accepts the token. `detail`: the reason of a refusal, and its
    remedy. `recognized_by`: the names of the backends that recognize it, in the order in which they
    are asked; `backends` has all names. `browser` and `native`: the ASGI messages that refuse a
    page, and any other client.
    """

    identity: Identity | None
    error: TokenAuthError | None
    detail: Detail | None = None
    recognized_by: Sequence[str]
    backends: Sequence[str]
    browser: Sequence[Message] = ()
    native: Sequence[Message] = ()


def diagnose(token: str) -> Diagnosis:
    """Verify the token with the settings of the site. Raises nothing, whatever the token is."""
    configuration = conf.configuration()
    policy = replace(configuration.policy, locations=LOCATIONS, origins=ANY_ORIGIN, anonymous=False)
    route = Route(replace(configuration, policy=policy))
    backends = site_authenticator().backends
    presented = _header(token, backends, policy.cookie_name)
    # A page cannot read the status of a denied handshake, and is refused in another way.
    browser, native = _scope(presented, is_browser=True), _scope(presented, is_browser=False)
    handshake = route.read(browser)
    known = handshake.credential
    found: dict[str, Any] = {
        "recognized_by": [b.name for b in backends if known and b.recognizes(known)],
        "backends": [b.name for b in backends],
    }
    try:
        identity = async_to_sync(_verify)(route, handshake)
    except TokenAuthError as error:
        return Diagnosis(
            identity=_inactive(known) if error.code is CloseReason.USER_INACTIVE else None,
            error=error,
            detail=route.explain(error, handshake),
            browser=route.refusal(error, handshake, browser),
            native=route.refusal(error, route.read(native), native),
            **found,
        )
    return Diagnosis(identity=identity, error=None, **found)


async def _verify(route: Route, handshake: Any) -> Identity:
    decision = route.decide(handshake)
    if isinstance(decision, Verify):
        return await route.verify(decision.credential)
    raise TokenAuthError(
        decision.code if isinstance(decision, Refuse) else CloseReason.TOKEN_MISSING
    )


def _inactive(credential: Credential | None) -> Identity | None:
    """Return the identity of a valid token whose user is inactive. The error has no identity."""
    with suppress(TokenAuthError):  # the token store may have failed in the meantime
        return site_authenticator().identify_now(credential) if credential else None
    return None


def _header(token: str, backends: Sequence[Any], cookie_name: str) -> tuple[bytes, bytes]:
    """Return the header that presents the token to the first backend that recognizes it."""
    secret = Secret(token)
    for backend in backends:
        for scheme in sorted(backend.schemes):  # "bearer" comes before the others
            credential = Credential(location=Location.HEADER, secret=secret, scheme=scheme)
            if backend.recognizes(credential):
                return _authorization(scheme, token)
        if backend.recognizes(Credential(location=Location.COOKIE, secret=secret)):
            return b"cookie", f"{cookie_name}={token}".encode(errors="surrogateescape")
    return _authorization("Bearer", token)


def _authorization(scheme: str, token: str) -> tuple[bytes, bytes]:
    # Python reads bytes of a terminal that are not UTF-8 as surrogates: send them as they were.
    return b"authorization", f"{scheme} {token}".encode(errors="surrogateescape")


def _scope(presented: tuple[bytes, bytes], *, is_browser: bool) -> Scope:
    """Return the scope of an opening handshake, as an ASGI server with every extension makes it."""
    headers = [(b"host", HOST.encode()), presented]
    if is_browser:
        headers += [(b"origin", f"http://{HOST}".encode())]
        headers += [(b"sec-websocket-protocol", PROTOCOL.encode())]
    return {
        "type": "websocket",
        "path": "/",
        "query_string": b"",
        "headers": headers,
        "subprotocols": [PROTOCOL] if is_browser else [],
        "extensions": {"websocket.http.response": {}},
    }
