"""Tickets: a page fetches one over HTTP and presents it once, in the query, instead of its token.

The cache stores, under a digest of the ticket, its user and the token for which it was issued: the
*parent*. No value in it opens a socket: a secret of the parent is encrypted with the ticket. The
parent is verified again when the ticket is redeemed.
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ... import conf
from ...backends.contract import TokenBackend
from ...backends.primary_cache import primary_cache
from ...backends.replicas import revalidate
from ...clock import clock
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, Location, Secret
from ...core.errors import Detail, TokenAuthError
from ...core.identity import FinalVerdict, Grant, Identity, Verdict, unavailable
from ...core.limits import Limit
from ...limits.exceeded import exceeded
from ...observability.error_log import log_error
from ..binding import bindings
from ..denylist import CacheUnavailable, cache_outages
from .entries import Entry, entry_of, grant_of, signed

__all__ = ["LIFETIME", "Found", "Tickets"]

# Looked up for every verification: before Python 3.12 an enum's attribute costs ten times as much.
_TICKET = Location.TICKET

LIFETIME = 30
"""Seconds in which a ticket has to be redeemed."""

OTHER_BACKEND = Detail(
    slug="ticket_of_another_backend",
    remedy="The ticket's token or session would not open this route either: list its backend in the"
    " BACKENDS of this route, with the same OPTIONS. Sessions need"
    " 'channels_token_auth.backends.session.SessionBackend'.",
)


Redeemed = TypeVar("Redeemed", bound=FinalVerdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A ticket that was found in the cache: its key, its slot, and its parent's grant."""

    key: str
    slot: str | None
    grant: Grant

    @property
    def backend(self) -> str:
        """The name of its parent's backend."""
        return self.grant.authentication.backend


class Tickets:
    """The tickets of a site. They are redeemed in three steps: look up, ask parents, use up.

    `backends`: those of the route. A ticket opens it only if the parent's token would: by a backend
    of the same name, class and options. `issuers`: all backends whose tokens get tickets.
    `cache`: the alias of their cache. `limit`: tickets of one token that may be outstanding at the
    same time; None: any number.
    """

    def __init__(
        self,
        backends: Sequence[TokenBackend],
        *,
        cache: str,
        limit: int | None = None,
        issuers: Sequence[TokenBackend] = (),
    ) -> None:
        self._cache = cache
        self._limit = limit
        self._parents = {backend.name: backend for backend in backends}
        self._bindings = {each.name: bindings(each) for each in (*issuers, *backends)}

    def issue(self, identity: Identity, *, origin: str | None) -> str:
        """Return a ticket for this identity, bound to a page's Origin.

        Raises TokenAuthError ("rate_limited") if too many are outstanding, and the exceptions of
        the cache.
        """
        ticket = secrets.token_urlsafe(32)
        entry = entry_of(identity, Secret(ticket), origin=origin)
        entry["bound_to"] = self._bound_to(identity)
        with cache_outages.watch(self._cache):
            entry["slot"] = self._take_slot(identity)
            stored = signed(entry, Secret(ticket))
            if not primary_cache(self._cache).add(_keys(Secret(ticket))[0], stored, LIFETIME):
                raise CacheUnavailable
        return ticket

    def _take_slot(self, identity: Identity) -> str | None:
        """Take one of the token's `limit` slots in the cache. The redemption frees it.

        `add` is atomic in every shared cache, so that parallel requests get different slots.
        """
        if self._limit is None:
            return None
        user, token = identity.user_key, identity.authentication
        name = ("ticket-slot", user.kind, user.key, token.backend, token.token_id)
        slots = [conf.site_keys().name(*name, str(number)) for number in range(self._limit)]
        cache = primary_cache(self._cache)
        if slots and cache.add(slots[0], 1, LIFETIME):  # most tokens have no other ticket
            return slots[0]
        # One request for all others: an attacker may ask for tickets without end.
        taken = cache.get_many(slots)
        for slot in slots:
            if slot not in taken and cache.add(slot, 1, LIFETIME):
                return slot
        if not taken and not cache.get_many(slots):  # some caches hide their errors
            raise CacheUnavailable
        raise exceeded(Limit.TICKETS, LIFETIME, self._limit)

    def _bound_to(self, identity: Identity) -> str | None:
        names = self._bindings.get(identity.authentication.backend)
        return names[0] if names else None

    def recognizes(self, credential: Credential) -> bool:
        """Recognize credentials that were presented as tickets."""
        return credential.location is _TICKET

    def look_up(self, credentials: Sequence[Credential]) -> Sequence[Found | TokenAuthError]:
        """Return each ticket that may be redeemed, or its refusal. Raises CacheUnavailable."""
        names = [_keys(credential.secret) for credential in credentials]
        entries = self._find([key for each in names for key in each])
        # Before a rotation of `SECRET_KEY`, tickets were stored under names by the former key.
        keys = [next((key for key in each if key in entries), each[0]) for each in names]
        return [
            self._inspect(credential, key, entries.get(key))
            for credential, key in zip(credentials, keys, strict=True)
        ]

    def _find(self, keys: Collection[str]) -> dict[str, Entry]:
        try:
            with cache_outages.watch(self._cache):
                return primary_cache(self._cache).get_many(set(keys))
        except Exception as error:
            raise CacheUnavailable from error

    def _inspect(
        self, credential: Credential, key: str, entry: Entry | None
    ) -> Found | TokenAuthError:
        """Refuse a ticket for a wrong place, and use it up, since it may have been stolen."""
        if entry is None:
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        try:
            found = Found(key=key, slot=entry.get("slot"), grant=grant_of(entry, credential.secret))
            problem = self._problem(credential, entry)
        except Exception as error:  # noqa: BLE001 - others can write to the cache
            # Do not raise, since the other tickets of the batch may be valid.
            what = "A ticket's entry in the cache was changed, or cannot be read."
            log_error(what, error, often=True)
            return unavailable()
        return found if problem is None else self.use_up(found, problem)

    def _problem(self, credential: Credential, entry: Entry) -> TokenAuthError | None:
        # A backend of the same name with other options, such as another issuer, may refuse it.
        bound_to, backend = entry["bound_to"], entry["backend"]
        is_ours = bound_to is None or bound_to in self._bindings.get(backend, ())
        if backend not in self._parents or not is_ours:
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=OTHER_BACKEND)
        if entry["tenant"] != credential.tenant:
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        if entry["origin"] not in (None, credential.origin):
            return TokenAuthError(CloseReason.FORBIDDEN)
        return None

    def ask_parents(self, found: Sequence[Found]) -> Sequence[FinalVerdict]:
        """Revalidate the parents, all of one backend at once, and return the tickets' verdicts."""
        # Tickets of a reconnect storm have many users and few backends: one query each.
        by_backend: dict[str, list[int]] = defaultdict(list)
        for i, each in enumerate(found):
            by_backend[each.backend].append(i)
        answers: dict[int, Verdict] = {}
        for name, places in by_backend.items():
            parent, grants = self._parents[name], [found[i].grant for i in places]
            answers |= zip(places, revalidate(parent, grants), strict=True)
        return [_conclude(each.grant, answers[i]) for i, each in enumerate(found)]

    def use_up(self, found: Found, verdict: Redeemed) -> Redeemed | TokenAuthError:
        """Redeem a ticket. Of parallel attempts, the one that deletes the entry succeeds."""
        try:
            with cache_outages.watch(self._cache):
                # `delete` of Django's caches is atomic, and returns whether the key existed. Of two
                # requests, also in two processes, one gets True. On the primary: a replica may
                # still have the entry.
                is_first = primary_cache(self._cache).delete(found.key)
                if is_first and found.slot is not None:
                    primary_cache(self._cache).delete(found.slot)
        except Exception as error:  # noqa: BLE001 - whatever a cache raises
            # Do not raise: a repeated batch would find its other tickets used up.
            log_error("A ticket could not be redeemed: answered unavailable.", error, often=True)
            return unavailable()
        return verdict if is_first else TokenAuthError(CloseReason.TOKEN_INVALID)


def _conclude(grant: Grant, verdict: Verdict) -> FinalVerdict:
    """Return the verdict on a ticket, given that on its parent."""
    if isinstance(verdict, TokenAuthError):
        return verdict
    # The parent was valid when the ticket was issued: its token exists no more.
    if verdict is None:
        return TokenAuthError(CloseReason.TOKEN_REVOKED)
    # A parent may expire within the 30 s of its ticket.
    if verdict.authentication.is_expired(clock.calendar()):
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    # A backend that verifies the parent's credential again returns the location of that one.
    authentication = replace(verdict.authentication, location=Location.TICKET)
    handle = grant.handle if verdict.handle is None else verdict.handle
    return Identity(user=verdict.user, authentication=authentication, handle=handle)


def _keys(secret: Secret) -> list[str]:
    """Return the names of a ticket's entry, derived with each of the site's keys."""
    names = conf.site_keys().names("ticket", secret.digest)
    return [f"channels_token_auth.ticket.{name}" for name in names]
