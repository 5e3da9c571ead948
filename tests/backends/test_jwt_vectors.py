"""The specification's vectors of JWTs, with real key servers."""

import json
import time
from contextlib import ExitStack

import jwt
import pytest
from django.contrib.auth.models import User

from channels_token_auth.backends.contract import Undecided, Unrecognized
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from tests.backends.jwks_server import jwks_server
from tests.docs.pages import read

VECTORS = json.loads(read("spec/vectors/jwt.json"))
KEYS = VECTORS["keys"]
ES256 = jwt.get_algorithm_by_name("ES256")


def key_set(published):
    public = ("kty", "crv", "x", "y")
    return {
        "keys": [
            {part: KEYS[name][part] for part in public} | {"kid": kid, "alg": "ES256"}
            for kid, name in published.items()
        ]
    }


def backend_of(issuer, server):
    server.document = key_set(issuer["publishes"] or {})
    if issuer["publishes"] is None:
        server.status = 503
    if "then" in issuer:
        server.before_answering = lambda: vars(server).update(document=key_set(issuer["then"]))
    return JWTBackend(algorithms=["ES256"], issuer=issuer["issuer"], jwks_url=server.url)


def token_of(given, user, now):
    claims = given["claims"]
    claims = claims | {"exp": now + claims["exp"], "iat": int(now), "sub": str(user.pk)}
    key = ES256.from_jwk(KEYS[given["key"]])
    return jwt.api_jws.encode(
        json.dumps(claims).encode(), key, "ES256", headers={"kid": given["kid"], "typ": "JWT"}
    )


def judge(backends, token):
    """Return the first verdict, as a site with these backends does, and the backend's index."""
    credential = Credential(location=Location.HEADER, secret=Secret(token), scheme="bearer")
    for index, backend in enumerate(backends):
        (verdict,) = backend.authenticate([credential])
        if isinstance(verdict, Undecided):  # its keys are being fetched
            verdict.settled.result(60)
            (verdict,) = backend.authenticate([credential])
        if verdict is not None and not isinstance(verdict, Unrecognized):
            return verdict, index
    return TokenAuthError(CloseReason.TOKEN_INVALID), None


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]])
def test_jwt_has_the_specified_verdict(case, db):
    user, now = User.objects.create(username="ada"), time.time()
    with ExitStack() as stack:
        servers = [stack.enter_context(jwks_server({})) for _ in case["issuers"]]
        backends = [backend_of(*pair) for pair in zip(case["issuers"], servers, strict=True)]
        verdict, index = judge(backends, token_of(case["token"], user, now))
    expected = case["verdict"]
    if isinstance(expected, str):
        assert verdict.code == expected
    else:
        left = verdict.authentication.expires_at.timestamp() - now
        assert case["issuers"][index]["issuer"] == expected["issuer"]
        assert left == pytest.approx(expected["expires_in"], abs=0.001)
