"""Encrypt a backend's handle with the ticket, so that only the client's ticket decrypts it.

A handle may be the token itself or the key of a session. The cache must not contain it in clear
text, and neither must the ticket, because a ticket is part of a URL. So the handle is encrypted
with a keystream that is derived from the ticket: 256 random bits that encrypt one message only. The
cache contains only a digest of the ticket. A signature with the site's key detects changes by
others who can write to the cache.
"""

import hmac
import json
from hashlib import shake_256
from typing import Any

from .. import conf
from ..core.credentials import Credential, Location, Secret

__all__ = ["seal", "unseal"]

_PURPOSE = b"channels_token_auth.ticket.handle.v1."
"""Makes the keystream independent of all other values that are derived from a ticket."""


def seal(handle: Any, ticket: Secret) -> str | None:
    """Return the encrypted handle; None for None, and for a handle that is no plain value.

    Plain values are text, numbers, a `Secret` and a `Credential`. Another process could not restore
    an object of a backend's own class.
    """
    plain = _plain(handle)
    if plain is None:
        return None
    sealed = _xor(json.dumps(plain).encode(), ticket).hex()
    return f"{_signatures(sealed, ticket)[0]}.{sealed}"


def unseal(text: str | None, ticket: Secret) -> Any:
    """Return the decrypted handle. Raises ValueError if the signature is not this site's."""
    if text is None:
        return None
    signature, _, sealed = text.partition(".")
    # First: text that others have written to the cache must reach no parser.
    if not any(hmac.compare_digest(signature, each) for each in _signatures(sealed, ticket)):
        raise ValueError("The handle of a ticket was changed in the cache.")
    return _original(*json.loads(_xor(bytes.fromhex(sealed), ticket)))


def _plain(handle: Any) -> list[Any] | None:
    match handle:
        case Credential():
            secret = handle.secret.reveal()
            return ["credential", handle.location.value, secret, handle.scheme, handle.origin]
        case Secret():
            return ["secret", handle.reveal()]
        case str() | int() | float():
            return ["value", handle]
    return None


def _original(kind: str, *values: Any) -> Any:
    match kind, *values:
        case "credential", location, secret, scheme, origin:
            return Credential(
                location=Location(location), secret=Secret(secret), scheme=scheme, origin=origin
            )
        case "secret", secret:
            return Secret(secret)
    return values[0]


def _xor(data: bytes, ticket: Secret) -> bytes:
    # A keystream must never encrypt two messages: each ticket is new, and stored in one entry.
    stream = shake_256(_PURPOSE + ticket.reveal().encode()).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))


def _signatures(sealed: str, ticket: Secret) -> list[str]:
    # With the ticket's digest, so that the handle of another entry cannot be copied into this one.
    return conf.site_keys().names("ticket-handle", ticket.digest, sealed)
