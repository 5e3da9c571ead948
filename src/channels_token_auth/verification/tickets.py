"""Tickets: what a page fetches over HTTP and presents once, in the query, instead of its token.

The cache holds, under a digest of the ticket, whose it is and what it was issued for: nothing that
opens a socket, and never the parent's secret. The parent is asked again at redemption.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.core.cache import caches

from .. import conf
from ..backends.contract import TokenBackend
from ..backends.sources.users import primary_key
from ..backends.sources.users_by_key import UsersByKey
from ..clock import clock
from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, Verdict, unavailable
from ..core.limits import Limit
from ..limits.exceeded import exceeded
from ..observability.error_log import log_error
from .binding import bindings
from .denylist import CacheUnavailable, cache_outages

__all__ = ["LIFETIME", "SESSION", "Tickets"]

LIFETIME = 30
"""Seconds in which a ticket has to be redeemed."""

SESSION = "session"
"""What `Authentication.backend` says where a ticket's parent is a Django session."""

# Fields of an authentication that every cache can store as they are.
_PLAIN = ("labels", "acr", "issuer", "tenant")

# What the cache holds of a ticket. Plain values: some caches write JSON.
Entry = dict[str, Any]


class Parent(Protocol):
    """Who knows whether a ticket's parent still stands."""

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """As a `TokenBackend` does it."""
        ...


class Tickets:
    """The tickets of a site, with the methods of a token backend.

    `cache`: the alias of their cache. `limit`: tickets of one token that may be outstanding at the
    same time; None: any number.
    """

    name = "ticket"
    schemes = frozenset[str]()

    def __init__(
        self, backends: Sequence[TokenBackend], *, cache: str, limit: int | None = None
    ) -> None:
        self._cache = cache
        self._limit = limit
        self.users = UsersByKey()
        self._parents: dict[str, Parent] = {SESSION: self.users}
        self._parents |= {backend.name: backend for backend in backends}
        self._bindings = {backend.name: bindings(backend) for backend in backends}

    def issue(self, identity: Identity, *, origin: str | None) -> str:
        """Return a ticket for this identity, bound to a page's Origin.

        Raises TokenAuthError ("rate_limited") if too many are outstanding, and what the cache
        raises.
        """
        ticket = secrets.token_urlsafe(32)
        entry = _entry(identity, origin) | {"bound_to": self._bound_to(identity)}
        with cache_outages.watch(self._cache):
            entry["slot"] = self._take_slot(identity)
            if not caches[self._cache].add(_keys(Secret(ticket))[0], entry, LIFETIME):
                raise CacheUnavailable
        return ticket

    def _take_slot(self, identity: Identity) -> str | None:
        """Take one of the token's `limit` places in the cache, which its redemption frees.

        `add` is atomic in every shared cache, so that parallel requests get different places.
        """
        if self._limit is None:
            return None
        user, token = identity.user_key, identity.authentication
        name = ("ticket-slot", user.kind, user.key, token.backend, token.token_id)
        slots = [conf.site_keys().name(*name, str(number)) for number in range(self._limit)]
        for slot in slots:
            if caches[self._cache].add(slot, 1, LIFETIME):
                return slot
        if not caches[self._cache].get_many(slots):  # some caches fail in silence
            raise CacheUnavailable
        raise exceeded(Limit.TICKETS, LIFETIME)

    def _bound_to(self, identity: Identity) -> str | None:
        names = self._bindings.get(identity.authentication.backend)
        return names[0] if names else None

    def recognizes(self, credential: Credential) -> bool:
        """Only what was presented as a ticket."""
        return credential.location is Location.TICKET

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Redeem each. A parent that cannot be asked leaves them unused: all may be tried again."""
        names = [_keys(credential.secret) for credential in credentials]
        entries = self._find([key for each in names for key in each])
        # A ticket of before a rotation of the secret key is stored under the former one's name.
        keys = [next((key for key in each if key in entries), each[0]) for each in names]
        verdicts = [
            self._inspect(c, entries.get(key)) for c, key in zip(credentials, keys, strict=True)
        ]
        passed = [i for i, verdict in enumerate(verdicts) if verdict is None]
        answers = self._ask_parents([entries[keys[i]] for i in passed])
        for i, answer in zip(passed, answers, strict=True):
            verdicts[i] = answer
        return [
            self._use_up(key, entries[key], verdict) if key in entries else verdict
            for key, verdict in zip(keys, verdicts, strict=True)
        ]

    def _find(self, keys: Collection[str]) -> dict[str, Entry]:
        try:
            with cache_outages.watch(self._cache):
                return caches[self._cache].get_many(set(keys))
        except Exception as error:
            raise CacheUnavailable from error

    def _inspect(self, credential: Credential, entry: Entry | None) -> Verdict:
        """What is wrong with a ticket by itself."""
        if entry is None or entry["backend"] not in self._parents:
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        # A backend of the same name with other options may refuse the parent: another issuer's.
        bound_to, backend = entry["bound_to"], entry["backend"]
        if bound_to is not None and bound_to not in self._bindings.get(backend, ()):
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        if entry["origin"] not in (None, credential.origin):
            return TokenAuthError(CloseReason.FORBIDDEN)
        return None

    def _ask_parents(self, entries: Sequence[Entry]) -> Sequence[Verdict]:
        """One question to each backend."""
        by_backend: dict[str, list[int]] = defaultdict(list)
        for i, entry in enumerate(entries):
            by_backend[entry["backend"]].append(i)
        answers: dict[int, Verdict] = {}
        for name, places in by_backend.items():
            verdicts = self._parents[name].revalidate([_held(entries[i]) for i in places])
            answers |= zip(places, verdicts, strict=True)
        return [_conclude(entry, answers[i]) for i, entry in enumerate(entries)]

    def _use_up(self, key: str, entry: Entry, verdict: Verdict) -> Verdict:
        """Redeem a ticket: of all who try, the one whose deletion finds it succeeds."""
        try:
            with cache_outages.watch(self._cache):
                is_first = caches[self._cache].delete(key)
                if is_first and entry.get("slot") is not None:
                    caches[self._cache].delete(entry["slot"])
        except Exception as error:  # noqa: BLE001 - whatever a cache raises
            # Not raised: others of the batch are used up, and must not be tried again.
            log_error("A ticket could not be redeemed: answered unavailable.", error)
            return unavailable()
        return verdict if is_first else TokenAuthError(CloseReason.TOKEN_INVALID)


def _conclude(entry: Entry, verdict: Verdict) -> Verdict:
    """The parent's verdict, as one on the ticket."""
    if isinstance(verdict, TokenAuthError):
        return verdict
    if verdict is None or entry["session_hash"] not in (None, _session_hash(verdict.user)):
        return TokenAuthError(CloseReason.TOKEN_REVOKED)
    if verdict.authentication.is_expired(clock.calendar()):
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    return verdict


def _keys(secret: Secret) -> list[str]:
    """Return the names that a ticket may have in the cache, which another site cannot make."""
    names = conf.site_keys().names("ticket", secret.digest)
    return [f"channels_token_auth.ticket.{name}" for name in names]


def _entry(identity: Identity, origin: str | None) -> Entry:
    parent = identity.authentication
    return {
        "backend": parent.backend,
        "user_pk": str(identity.user.pk),
        "user_kind": identity.user_key.kind,
        "token_id": parent.token_id,
        "scopes": sorted(parent.scopes),
        "issued_at": parent.issued_at and parent.issued_at.isoformat(),
        "expires_at": parent.expires_at and parent.expires_at.isoformat(),
        "auth_time": parent.auth_time and parent.auth_time.isoformat(),
        # The names by which the parent may be revoked: without one, its tickets would stay valid.
        **{name: getattr(parent, name) for name in _PLAIN},
        "origin": origin,
        # A session ends with its user's password; of a token, its backend knows.
        "session_hash": _session_hash(identity.user) if parent.backend == SESSION else None,
    }


def _held(entry: Entry) -> Grant:
    return Grant(
        user_pk=primary_key(entry["user_pk"]),
        user_kind=entry["user_kind"],
        authentication=Authentication(
            backend=entry["backend"],
            token_id=entry["token_id"],
            location=Location.TICKET,
            scopes=frozenset(entry["scopes"]),
            issued_at=_moment(entry["issued_at"]),
            expires_at=_moment(entry["expires_at"]),
            auth_time=_moment(entry["auth_time"]),
            **{name: entry[name] for name in _PLAIN},
        ),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _session_hash(user: Any) -> str | None:
    """What changes with the password. None for the users that Django does not ask for it either."""
    session_hash = getattr(user, "get_session_auth_hash", None)
    return Secret(session_hash()).digest if session_hash else None
