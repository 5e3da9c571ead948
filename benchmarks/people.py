"""Whose tokens there are: the same people in every database, and credentials that nobody has."""

import time
from hashlib import sha1, sha256

import jwt

__all__ = [
    "MILLION",
    "PEOPLE",
    "SECRET_KEY",
    "bad_json_web_token",
    "bad_key",
    "json_web_token",
    "key",
    "knox_token",
]

PEOPLE = 5000
MILLION = 1_000_000
"""As many there are where that is asked for: see `project/fill_million.py`."""

SECRET_KEY = "of no worth: these servers live for one benchmark on the loopback interface"  # noqa: S105 - as it says


def key(number: int) -> str:
    """The DRF key of one of the people: forty hex digits, as DRF makes them."""
    return sha1(f"good {number}".encode(), usedforsecurity=False).hexdigest()


def knox_token(number: int) -> str:
    """The token of knox of one of a million: sixty-four hex digits, as knox makes them."""
    return sha256(f"good {number}".encode()).hexdigest()


def bad_key(number: int) -> str:
    """A key of the right shape that is nobody's."""
    return sha1(f"bad {number}".encode(), usedforsecurity=False).hexdigest()


def json_web_token(number: int, secret: str = SECRET_KEY) -> str:
    """An access token with the claims that simplejwt gives it."""
    now = int(time.time())
    claims = {
        "token_type": "access",
        "exp": now + 86_400,
        "iat": now,
        "jti": f"{number:032x}",
        "user_id": str(number + 1),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def bad_json_web_token(number: int) -> str:
    """An access token that somebody else signed."""
    return json_web_token(number, secret=SECRET_KEY[::-1])
