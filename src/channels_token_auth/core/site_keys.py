"""Make names and signatures that only this site can make, for its cache and its messages.

Two sites may share a cache or a channel layer. Each name in the cache and each message between
nodes is made with a key that is derived from `SECRET_KEY`, so that a site never reads the tickets,
denials and messages of another one. Only Python's standard library is needed, and no settings.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

__all__ = ["SIGNATURE", "SiteKeys"]

_PURPOSE = b"channels_token_auth.site.v1"
"""Separates our keys from all others that are derived from the same `SECRET_KEY`."""

SIGNATURE = "site"
"""The key of a message that holds its signature."""


@dataclass(frozen=True, slots=True)
class SiteKeys:
    """The keys of one site: the current one first, then those that are being replaced.

    New names and signatures are made with the first key. All keys are tried when something is
    read, so that nodes with the old and the new `SECRET_KEY` understand each other during a
    rotation.
    """

    _keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def derive(cls, secret: bytes, fallbacks: Sequence[bytes] = ()) -> Self:
        """Derive the keys from `SECRET_KEY` and `SECRET_KEY_FALLBACKS`."""
        return cls(tuple(_mac(each, _PURPOSE) for each in (secret, *fallbacks)))

    def name(self, purpose: str, *parts: str | None) -> str:
        """Return the name under which a value is stored: 64 hexadecimal digits."""
        return _mac(self._keys[0], _joined(purpose, parts)).hex()

    def names(self, purpose: str, *parts: str | None) -> list[str]:
        """Return the names under which the value may be stored, the current one first."""
        text = _joined(purpose, parts)
        return [_mac(key, text).hex() for key in self._keys]

    def sign(self, purpose: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return the message with its signature. Values are plain, as JSON has them."""
        # A message that is passed on may carry an old signature: it is never part of the new one.
        unsigned = {name: value for name, value in message.items() if name != SIGNATURE}
        return {**unsigned, SIGNATURE: self.name(purpose, _canonical(unsigned))}

    def verify(self, purpose: str, message: Mapping[str, Any]) -> bool:
        """Return whether this site signed the message for this purpose. Raises nothing."""
        # Another site shares the layer, so any value may arrive here. `compare_digest` raises for a
        # text that is not ASCII.
        signature = message.get(SIGNATURE)
        if not isinstance(signature, str) or not signature.isascii():
            return False
        try:
            text = _canonical({name: each for name, each in message.items() if name != SIGNATURE})
        except (RecursionError, TypeError, ValueError):
            return False
        # In constant time, so that the duration does not show how much of a forged signature fits.
        return any(hmac.compare_digest(signature, each) for each in self.names(purpose, text))


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, sha256)


def _joined(purpose: str, parts: Sequence[str | None]) -> bytes:
    # JSON, so that ("ab", "c") and ("a", "bc") differ, and so do None and "".
    return json.dumps([purpose, *parts]).encode()


def _canonical(message: Mapping[str, Any]) -> str:
    # The receiver must sign the same text, whatever order and spacing its layer gave the message.
    return json.dumps(message, sort_keys=True, separators=(",", ":"), allow_nan=False)
