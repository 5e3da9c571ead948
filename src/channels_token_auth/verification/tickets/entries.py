"""Convert a ticket to its entry in the cache: the parent's grant, and the origin of the page.

The *parent* is the token for which a ticket was issued. An entry contains plain values only,
because some caches store JSON. The handle by which the parent's backend revalidates it, such as the
key of a session, is encrypted: see `sealing`. A signature with the site's key covers all of the
entry, so that others who can write to the cache cannot change its user or its backend.
"""

from datetime import datetime
from typing import Any

from ... import conf
from ...backends.sources.users import key_of, plain_key
from ...core.authentication import Authentication
from ...core.credentials import Location, Secret
from ...core.identity import Grant, Identity
from ...core.labels import NO_LABELS
from ..sealing import seal, unseal

__all__ = ["Entry", "entry_of", "grant_of", "signed"]

Entry = dict[str, Any]

# Fields of an authentication whose values every cache can store.
_PLAIN = ("acr", "issuer", "tenant")


def entry_of(identity: Identity, ticket: Secret, *, origin: str | None) -> Entry:
    """Return the entry of a ticket for this identity."""
    parent = identity.authentication
    return {
        "backend": parent.backend,
        "user_pk": plain_key(identity.user),
        "user_kind": identity.user_key.kind,
        "token_id": parent.token_id,
        # A list, since JSON has no sets.
        "scopes": sorted(parent.scopes),
        "issued_at": parent.issued_at and parent.issued_at.isoformat(),
        "expires_at": parent.expires_at and parent.expires_at.isoformat(),
        "auth_time": parent.auth_time and parent.auth_time.isoformat(),
        # By each of these the parent may be revoked. Without one, its tickets would stay valid.
        "labels": dict(parent.labels),
        **{name: getattr(parent, name) for name in _PLAIN},
        "origin": origin,
        "handle": seal(identity.handle, ticket),
    }


def signed(entry: Entry, ticket: Secret) -> Entry:
    """Return the whole entry with its signature, for this ticket only."""
    return conf.site_keys().sign(_purpose(ticket), entry)


def grant_of(entry: Entry, ticket: Secret) -> Grant:
    """Return the parent's grant, with the backend's handle.

    Raises ValueError if the entry's signature is not this site's, for this ticket.
    """
    if not conf.site_keys().verify(_purpose(ticket), entry):
        raise ValueError("The entry of a ticket was changed in the cache.")
    return Grant(
        user_pk=key_of(entry["user_kind"], entry["user_pk"]),
        user_kind=entry["user_kind"],
        authentication=Authentication(
            backend=entry["backend"],
            token_id=entry["token_id"],
            location=Location.TICKET,
            scopes=frozenset(entry["scopes"]),
            issued_at=_moment(entry["issued_at"]),
            expires_at=_moment(entry["expires_at"]),
            auth_time=_moment(entry["auth_time"]),
            labels=entry["labels"] or NO_LABELS,
            **{name: entry[name] for name in _PLAIN},
        ),
        handle=unseal(entry.get("handle"), ticket),
    )


def _purpose(ticket: Secret) -> str:
    # With the ticket's digest, so that the entry of another ticket cannot be copied into this one.
    return f"ticket-entry.{ticket.digest}"


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
