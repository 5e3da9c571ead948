"""Seal a backend's handle, so that only the client's ticket opens it.

A handle may be the token itself or the key of a session. The cache must not hold it in clear, and
the ticket must not contain it, because a ticket travels in a URL. So it is encrypted with a
keystream that is derived from the ticket: 256 random bits that are used for one message only. The
cache knows no more of a ticket than its digest. A signature by the site's key keeps everybody else
who can write to the cache from changing it.
"""

import hmac
import json
from hashlib import shake_256
from typing import Any

from .. import conf
from ..core.credentials import Credential, Location, Secret

__all__ = ["seal", "unseal"]

_PURPOSE = b"channels_token_auth.ticket.handle.v1."
"""Separates the keystream from every other value that is derived from a ticket."""


def seal(handle: Any, ticket: Secret) -> str | None:
    """Return the sealed handle; None for no handle, and for one that is no plain value.

    Plain are texts, numbers, a `Secret` and a `Credential`: an object of a backend's own has no
    form that another process could read.
    """
    plain = _plain(handle)
    if plain is None:
        return None
    sealed = _xor(json.dumps(plain).encode(), ticket).hex()
    return f"{_signatures(sealed, ticket)[0]}.{sealed}"


def unseal(text: str | None, ticket: Secret) -> Any:
    """Return the handle. Raises ValueError if somebody else has written the text."""
    if text is None:
        return None
    signature, _, sealed = text.partition(".")
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
    stream = shake_256(_PURPOSE + ticket.reveal().encode()).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))


def _signatures(sealed: str, ticket: Secret) -> list[str]:
    return conf.site_keys().names("ticket-handle", ticket.digest, sealed)
