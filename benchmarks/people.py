"""The credentials of the people in every database, and credentials that nobody has."""

import time
import uuid
from hashlib import sha1, sha256

import jwt

__all__ = [
    "ISSUER",
    "MILLION",
    "PEOPLE",
    "SECRET_KEY",
    "bad_json_web_token",
    "bad_key",
    "bad_provider_token",
    "json_web_token",
    "key",
    "knox_token",
    "logout_token",
    "provider_token",
    "short_lived_token",
]

PEOPLE = 5000
MILLION = 1_000_000
"""The number of people that `project/fill_million.py` adds to a database."""

SECRET_KEY = "worthless: these servers run for one benchmark on the loopback interface"  # noqa: S105 - worthless


def key(number: int) -> str:
    """Return a person's DRF key: forty hex digits, as DRF generates them."""
    return sha1(f"good {number}".encode(), usedforsecurity=False).hexdigest()


def knox_token(number: int) -> str:
    """Return a person's knox token, of a million: sixty-four hex digits, as knox generates them."""
    return sha256(f"good {number}".encode()).hexdigest()


def bad_key(number: int) -> str:
    """Return a key of the right shape that nobody has."""
    return sha1(f"bad {number}".encode(), usedforsecurity=False).hexdigest()


def json_web_token(number: int, secret: str = SECRET_KEY) -> str:
    """Return an access token with the claims of simplejwt."""
    now = int(time.time())
    claims = {
        "token_type": "access",
        "exp": now + 86_400,
        "iat": now,
        "jti": f"{number:032x}",
        "user_id": str(number + 1),
    }
    return jwt.encode(claims, secret, algorithm="HS256")


ISSUER = "https://sso.test"
"""The identity provider of these people."""


def provider_token(number: int) -> str:
    """Return an access token of the identity provider, a different one at each call."""
    claims = {"sub": str(number + 1), "sid": f"session {number}", "exp": int(time.time()) + 86_400}
    return _of_provider(claims, "at+jwt")


def short_lived_token(number: int, seconds: float) -> tuple[str, int, int]:
    """Return an access token of the provider, and its issue and expiry in epoch seconds."""
    now = int(time.time())
    claims = {"sub": str(number + 1), "sid": f"session {number}", "exp": now + int(seconds)}
    return _of_provider(claims, "at+jwt"), now, now + int(seconds)


def bad_provider_token(number: int) -> str:
    """Return an access token of the identity provider with a wrong signature."""
    return provider_token(number)[:-9] + "A" * 9


def logout_token(number: int) -> str:
    """Return the logout token that the provider posts when a person logs out there."""
    event = "http://schemas.openid.net/event/backchannel-logout"
    claims = {"sub": str(number + 1), "sid": f"session {number}", "events": {event: {}}}
    return _of_provider(claims | {"aud": "web", "exp": int(time.time()) + 120}, "logout+jwt")


def _of_provider(claims: dict[str, object], typ: str) -> str:
    own = {"iss": ISSUER, "iat": int(time.time()), "jti": uuid.uuid4().hex}
    return jwt.encode(own | claims, SECRET_KEY, algorithm="HS256", headers={"typ": typ})


def bad_json_web_token(number: int) -> str:
    """Return an access token that is signed with another key."""
    return json_web_token(number, secret=SECRET_KEY[::-1])
