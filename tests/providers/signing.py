"""An identity provider's tokens: each is good, but for the changes that a test makes."""

import itertools
import json
import time
from urllib.parse import urlencode

import jwt

from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.verification.authenticator import site_authenticator
from tests.backends.jwt_keys import rsa_keys

__all__ = [
    "AUDIENCE",
    "CAEP",
    "ISSUER",
    "LOGOUT",
    "RISC",
    "access_token",
    "event_claims",
    "form",
    "logout_claims",
    "now",
    "outcome",
    "push",
    "request_claims",
    "signed",
]

ISSUER = "https://sso.test/realms/main"
AUDIENCE = "web"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
PRIVATE, PUBLIC = rsa_keys("provider")
_ids = itertools.count()


def now():
    return int(time.time())


def _claims(changes, **given):
    common = {"iss": ISSUER, "aud": AUDIENCE, "iat": now(), "jti": f"provider-{next(_ids)}"}
    claims = common | given | changes
    return {name: value for name, value in claims.items() if value is not ...}


def logout_claims(**changes):
    """Return the claims of a logout token; `...` leaves one out."""
    return _claims(changes, sub="1", sid="s1", exp=now() + 120, events={LOGOUT: {}})


def event_claims(event, payload=None, **changes):
    return _claims(changes, events={event: payload or {}})


def request_claims(**changes):
    return _claims(changes, sub="okta-app", exp=now() + 300)


def signed(claims, typ="logout+jwt", *, key=None, algorithm="RS256", **header):
    given = {"typ": typ, "kid": "first"} | header
    headers = {name: value for name, value in given.items() if value is not ...}
    payload = json.dumps(claims).encode()
    # Not as a PEM: OpenSSL tests the primes of one for 45 ms, each time that it loads it.
    return jwt.api_jws.encode(payload, key or PRIVATE, algorithm, headers=headers)


def form(token):
    """Return the arguments with which Django's test client posts to `backchannel-logout/`."""
    return {
        "data": urlencode({"logout_token": token}),
        "content_type": "application/x-www-form-urlencoded",
    }


def push(token):
    return {"data": token, "content_type": "application/secevent+jwt"}


def access_token(user, sid="s1", **changes):
    given = {"iss": ISSUER, "aud": "api", "sub": str(user.pk), "sid": sid, "exp": now() + 600}
    return signed(_claims(changes, **given), typ="at+jwt")


def outcome(token):
    """Return the outcome of a handshake with the token: "accepted", or the reason of refusal."""
    credential = Credential(location=Location.HEADER, secret=Secret(token), scheme="bearer")
    verdict = site_authenticator().authenticate_now(credential)
    return verdict.code.value if isinstance(verdict, TokenAuthError) else "accepted"
