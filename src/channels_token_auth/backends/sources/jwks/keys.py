"""Read the keys for the verification of JWTs with PyJWT, once and not for each token."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

__all__ = ["VerifyingKey", "read_jwks", "read_key"]

RSA = (rsa.RSAPublicKey, rsa.RSAPrivateKey)

# By the first letters of an algorithm's name. PyJWT reads some keys of another type.
_TYPES: dict[str, tuple[type, ...]] = {
    "HS": (bytes,),
    "RS": RSA,
    "PS": RSA,
    "ES": (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey),
    "Ed": (
        ed25519.Ed25519PublicKey,
        ed25519.Ed25519PrivateKey,
        ed448.Ed448PublicKey,
        ed448.Ed448PrivateKey,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingKey:
    """A key for PyJWT, and the algorithms that it may be used with. `key_id`: its `kid`.
    `thumbprint`: of a key server's key, which identifies it in later answers (RFC 7638).
    """

    key: Any = field(repr=False)
    algorithms: tuple[str, ...]
    key_id: str | None = None
    thumbprint: str | None = None

    @property
    def bits(self) -> int | None:
        """Return the size of a secret or of an RSA key, None of others: only these can be weak."""
        if isinstance(self.key, bytes):
            return 8 * len(self.key)
        return self.key.key_size if isinstance(self.key, RSA) else None


def read_key(material: str | bytes, algorithms: Sequence[str]) -> VerifyingKey:
    """Read a secret or a PEM. Raises ValueError if none of the algorithms can use it."""
    for key in _prepared(material, algorithms):
        return VerifyingKey(key=key, algorithms=_fitting(key, algorithms))
    raise ValueError(f"No key of {', '.join(algorithms)}.")


def _prepared(material: str | bytes, algorithms: Sequence[str]) -> Iterator[Any]:
    """Yield the key in the form of each algorithm that can use it."""
    for name in algorithms:
        with suppress(NotImplementedError, TypeError, ValueError, jwt.PyJWTError):
            key = jwt.get_algorithm_by_name(name).prepare_key(material)
            yield from [key] if _fitting(key, [name]) else ()


def read_jwks(document: Any, algorithms: Sequence[str]) -> tuple[VerifyingKey, ...]:
    """Read the public keys of a JWK Set (RFC 7517 §5) that the algorithms can use. Raises
    ValueError if there are none.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    found = [_read_jwk(each, algorithms) for each in entries or () if isinstance(each, dict)]
    keys = tuple(key for key in found if key is not None)
    if not keys:
        raise ValueError("The key server's answer has no key that can be used.")
    return keys


def _read_jwk(entry: Mapping[str, Any], algorithms: Sequence[str]) -> VerifyingKey | None:
    # A secret ("oct") that a server publishes is no secret.
    if entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return None
    named = entry.get("alg")
    # PyJWT guesses the algorithm of each other type, and of these for one of two curves alone.
    guess = "EdDSA" if entry.get("kty") == "OKP" else None
    try:
        key = jwt.PyJWK(dict(entry), guess).key
    except (LookupError, TypeError, ValueError, jwt.PyJWTError):
        return None  # of a kind that is to be ignored
    usable = _fitting(key, [name for name in algorithms if named in (None, name)])
    if not usable:
        return None
    return VerifyingKey(
        key=key, algorithms=usable, key_id=entry.get("kid"), thumbprint=_thumbprint(entry)
    )


def _thumbprint(entry: Mapping[str, Any]) -> str:
    """Return the digest of the required members of the key (RFC 7638 §3.2)."""
    required = {name: entry[name] for name in ("crv", "e", "kty", "n", "x", "y") if name in entry}
    return sha256(json.dumps(required, sort_keys=True).encode()).hexdigest()


def _fitting(key: Any, algorithms: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in algorithms if isinstance(key, _TYPES.get(name[:2], ())))
