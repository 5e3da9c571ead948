"""Remember which Django sessions came from a login at an identity provider, and end them with it.

Sessions have no column for a provider's session id. So the shared cache has an index from this id,
and from the user, to the session keys. Anyone who reads a session key could act as its user: it is
stored encrypted, under a key that is derived from SECRET_KEY and never stored itself.
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

from .. import conf
from ..backends.sources.sessions.engines import can_forget, engine
from ..core.close_codes import CloseReason
from ..core.credentials import Secret
from ..core.identity import of_tenant
from ..core.revocation import Revocation, Target
from ..observability.error_log import log_error
from ..revocation.on_commit import after_commit, site_database
from ..tenants.site import here
from ..verification.denylist import CacheUnavailable
from ..verification.denylist.store import Store, open_store
from ..verification.sealing import seal, unseal

__all__ = ["end_logins", "remember_login"]

PREFIX = "channels_token_auth.login."

MAX_SESSIONS = 20
"""Sessions that are remembered for one login or user. A further one replaces one of them."""

Names = list[str]


def remember_login(request: HttpRequest, claims: Mapping[str, Any]) -> None:
    """End the request's Django session when the identity provider ends the login it came from.

    Call this after the login, with the claims of the ID token: `iss`, and `sid` if it has one
    (OpenID Connect Back-Channel Logout 1.0, section 2.1). Does nothing for a request without a
    session, and for sessions in signed cookies, which no server can end. Raises nothing if the
    cache fails: the login succeeds, but the provider cannot end its session.
    """
    session = getattr(request, "session", None)
    # Sessions in signed cookies (`can_forget` is False) cannot be deleted on the server.
    issuer, session_id = claims.get("iss"), claims.get("sid")
    if session is None or not session.session_key or not can_forget() or not issuer:
        return
    user = _of_here(session.get(SESSION_KEY))
    entry = {"user": user, "at": time.time(), **_sealed(session.session_key, issuer, user)}
    keys = [("user", user)] + ([] if session_id is None else [("sid", str(session_id))])
    try:
        with open_store(conf.configuration().cache) as entries:
            for kind, value in keys:
                _add(entries, [_names(issuer, kind, value, n) for n in range(MAX_SESSIONS)], entry)
    except CacheUnavailable as error:
        log_error("A login at an identity provider could not be remembered.", error, brief=True)


def end_logins(
    issuer: str, *, session_id: str | None, user_pk: Any, logged_in_before: float
) -> None:
    """Delete the sessions that were remembered for a session id or a user, and close their sockets.

    If both are given, both must match. Only logins before `logged_in_before` end, in seconds since
    the epoch. Raises CacheUnavailable, and what the sessions' store raises.
    """
    user = None if user_pk is None else _of_here(user_pk)
    kind, value = ("user", str(user)) if session_id is None else ("sid", session_id)
    names = [name for number in range(MAX_SESSIONS) for name in _names(issuer, kind, value, number)]
    with open_store(conf.configuration().cache) as entries:
        found = entries.get_many(names)
    for key in _keys(found.values(), issuer, user, logged_in_before):
        engine()(key).delete()
        # Not left to the signal of a deleted row: only engines with a table send one.
        target = Target(token_id=Secret(key).digest)
        revocation = Revocation(target=target, code=CloseReason.TOKEN_REVOKED)
        after_commit([revocation], [], using=site_database())


def _add(entries: Store, places: list[Names], entry: Mapping[str, Any]) -> None:
    """Store an entry in the first free place; if there is none, in place of another entry."""
    # `add` is atomic: two logins at the same time take two places.
    seconds = engine()().get_session_cookie_age()
    if not any(entries.add(names[0], entry, seconds) for names in places):
        entries.set(secrets.choice(places)[0], entry, seconds)


def _keys(
    found: Iterable[Mapping[str, Any]], issuer: str, user: str | None, before: float
) -> Iterator[str]:
    for entry in found:
        is_meant = user in (None, entry["user"])
        key = _unsealed(entry, issuer) if is_meant and entry["at"] < before else None
        if key is not None:
            yield key


def _of_here(user_pk: Any) -> str:
    """Return the user's key, with the tenant if the site has tenants: each may have a user 1."""
    return str(of_tenant(str(user_pk), here()))


def _names(issuer: str, kind: str, value: str, number: int) -> Names:
    names = conf.site_keys().names("login", issuer, here(), kind, value, str(number))
    return [f"{PREFIX}{name}" for name in names]


def _sealed(key: str, issuer: str, user: str) -> dict[str, Any]:
    # A stream cipher must never use one key for two messages: the nonce makes each key unique.
    nonce = secrets.token_hex(16)
    return {"nonce": nonce, "key": seal(key, _secrets(nonce, issuer, user)[0])}


def _unsealed(entry: Mapping[str, Any], issuer: str) -> str | None:
    for secret in _secrets(entry["nonce"], issuer, entry["user"]):
        try:
            return str(unseal(entry["key"], secret))
        except ValueError:
            continue  # encrypted under another SECRET_KEY
    return None


def _secrets(nonce: str, issuer: str, user: str) -> list[Secret]:
    return [Secret(each) for each in conf.site_keys().names("login-seal", nonce, issuer, user)]
