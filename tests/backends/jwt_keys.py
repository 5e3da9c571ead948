"""Keys to sign tokens with in tests, made once a run; and tokens signed as nobody should."""

import hashlib
import hmac
import json
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

__all__ = ["KEYS", "ec_keys", "ed_keys", "jwk", "pem", "rsa_keys", "signed_by_hand"]


@cache
def rsa_keys(name="", bits=2048):
    """A private key and its public one: another pair for each name."""
    private = rsa.generate_private_key(65537, bits)
    return private, private.public_key()


@cache
def ec_keys(curve=ec.SECP256R1):
    private = ec.generate_private_key(curve())
    return private, private.public_key()


@cache
def ed_keys(kind=ed25519.Ed25519PrivateKey):
    private = kind.generate()
    return private, private.public_key()


KEYS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), rsa_keys()),
    "ES256": ec_keys(),
    "ES384": ec_keys(ec.SECP384R1),
    "ES512": ec_keys(ec.SECP521R1),
    "EdDSA": ed_keys(),
    "EdDSA (Ed448)": ed_keys(ed448.Ed448PrivateKey),
}
"""A pair for each algorithm that has one."""


def pem(key):
    if hasattr(key, "private_bytes"):
        coded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    else:
        coded = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return coded.decode()


def jwk(key, algorithm="RS256", **members):
    """The public key as an entry of a JWK Set."""
    entry = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
    entry.pop("key_ops", None)
    return entry | members


def signed_by_hand(secret, claims, header=()):
    """By HMAC, with what PyJWT refuses: a public key as the secret, or a strange header."""
    parts = ({"alg": "HS256", "typ": "JWT"} | dict(header), claims)
    signing_input = b".".join(_coded(json.dumps(part).encode()) for part in parts)
    signature = hmac.new(secret.encode(), signing_input, hashlib.sha256).digest()
    return b".".join([signing_input, _coded(signature)]).decode()


def _coded(segment):
    return jwt.utils.base64url_encode(segment)
