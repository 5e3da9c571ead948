"""Find out how a site's settings decide about one token, as a handshake would.

Nothing is opened and nothing is audited: the token is verified, and that is all. A ticket cannot be
diagnosed, since looking at it uses it up.
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
# The token is of interest, not where it is presented nor by which page.
LOCATIONS = frozenset({Location.HEADER, Location.COOKIE})
ANY_ORIGIN = OriginRule(hosts=("*",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The result for one token. `identity`: None if no backend knows it. `detail`: the reason of a
    refusal, and its remedy.

    `recognized_by`: the names of the backends that take it for one of theirs, in the order in which
    they are asked, of all those in `backends`. `browser` and `native` are the ASGI messages that
    a refused page, and any other refused client, is answered with.
    """

    identity: Identity | None
    error: TokenAuthError | None
    detail: Detail | None = None
    recognized_by: Sequence[str]
    backends: Sequence[str]
    browser: Sequence[Message] = ()
    native: Sequence[Message] = ()


def diagnose(token: str) -> Diagnosis:
    """Verify the token by the settings. Raises nothing because of a token."""
    configuration = conf.configuration()
    policy = replace(configuration.policy, locations=LOCATIONS, origins=ANY_ORIGIN, anonymous=False)
    route = Route(replace(configuration, policy=policy))
    backends = site_authenticator().backends
    presented = _header(token, backends, policy.cookie_name)
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
    """Return the identity of a good token whose user is inactive: the error does not carry it."""
    with suppress(TokenAuthError):  # whose store has failed since
        return site_authenticator().identify_now(credential) if credential else None
    return None


def _header(token: str, backends: Sequence[Any], cookie_name: str) -> tuple[bytes, bytes]:
    """Return the header in which the first backend that may know the token reads it."""
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
