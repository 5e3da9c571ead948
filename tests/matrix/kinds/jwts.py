"""Tokens that are signed (RFC 7519), and what forgers make of them."""

import base64
import hmac
import json
import time
from contextlib import contextmanager
from functools import cache
from itertools import count
from unittest import mock

import jwt
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from allauth.headless.tokens.strategies.jwt.internal import create_refresh_token
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from jwt.algorithms import RSAAlgorithm
from rest_framework_simplejwt import state
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from channels_token_auth.core.close_codes import CloseReason
from tests.matrix.kind import Kind, State
from tests.matrix.kinds.sessions import MODEL_BACKEND, logged_in

numbers = count()
HOUR = 3600
OTHER_SECRET = "of another site, and long enough for every algorithm that signs with it"


def rsa_pair():
    """A private key and its public one, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return (
        private.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode(),
        private.public_key().public_bytes(pem, info).decode(),
    )


PRIVATE, PUBLIC = rsa_pair()
OTHER_PRIVATE, OTHER_PUBLIC = rsa_pair()


@cache
def _loaded(key):
    """The key to sign with. OpenSSL tests its primes for 45 ms, each time that it loads a PEM."""
    is_pem = key is not None and key.startswith("-----")
    return serialization.load_pem_private_key(key.encode(), password=None) if is_pem else key


class Signed(Kind):
    """Each forgery is a valid token whose claims, header or signature are others."""

    key, other_key, algorithm, other_algorithm = PRIVATE, OTHER_PRIVATE, "RS256", "RS512"

    def _forged(self, user, *, headers=None, **claims):
        return self._signed(user, self.key, self.algorithm, headers=headers, **claims)

    def _signed(self, user, key, algorithm, *, headers=None, **claims):
        said = jwt.decode(self.valid(user), options={"verify_signature": False})
        return jwt.encode(said | claims, _loaded(key), algorithm=algorithm, headers=headers)

    def unknown(self, user):
        return self._signed(user, self.other_key, self.algorithm)

    def expired(self, user):
        now = int(time.time())
        return self._forged(user, iat=now - 2 * HOUR, exp=now - HOUR)

    def not_yet_valid(self, user):
        return self._forged(user, nbf=int(time.time()) + HOUR)

    def key_bound(self, user):
        return self._forged(user, cnf={"jkt": "thumbprint"})

    def wrong_algorithm(self, user):
        return self._signed(user, self.key, self.other_algorithm)

    def unsigned(self, user):
        return self._signed(user, None, "none")

    def steered(self, user):
        leads = {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u"}
        headers = {**leads, "kid": "../../dev/null", "jwk": _jwk(self.other_key)}
        return self._signed(user, self.other_key, self.algorithm, headers=headers)


class SimpleJWT(Signed):
    name, title = "simplejwt", "simplejwt"
    path = "channels_token_auth.backends.simplejwt.SimpleJWTBackend"
    key, other_key, algorithm, other_algorithm = (
        settings.SECRET_KEY,
        OTHER_SECRET,
        "HS256",
        "HS512",
    )
    queries = 2
    keeps_rows = False

    @contextmanager
    def running(self):
        ours = TokenBackend("HS256", settings.SECRET_KEY, audience="ours")
        with mock.patch.object(state, "token_backend", ours):
            yield

    def valid(self, user):
        return str(AccessToken.for_user(user))

    def refresh_token(self, user):
        return str(RefreshToken.for_user(user))

    def wrong_audience(self, user):
        return self._forged(user, aud="theirs")

    def revoke(self, token, user):
        expires_at = AccessToken(token).current_time + AccessToken.lifetime
        row = OutstandingToken.objects.create(
            user=user, jti=AccessToken(token)["jti"], token=token, expires_at=expires_at
        )
        BlacklistedToken.objects.create(token=row)


class ListedAuthentication(JWTAuthentication):
    """A class of a site's own, which looks into the blacklist as the package's does not."""

    def get_validated_token(self, raw_token):
        token = super().get_validated_token(raw_token)
        if BlacklistedToken.objects.filter(token__jti=token["jti"]).exists():
            raise InvalidToken
        return token


class RESTFramework(SimpleJWT):
    name, title = "rest_framework", "any class of DRF"
    path = "channels_token_auth.backends.rest_framework.RESTFrameworkBackend"
    options = {"authentication_classes": [f"{__name__}.ListedAuthentication"]}  # noqa: RUF012 - see Kind
    answers = dict.fromkeys([State.EXPIRED, State.REVOKED], CloseReason.TOKEN_INVALID)
    is_one_by_one = True


class JWT(Signed):
    name, title = "jwt", "any JWT"
    path = "channels_token_auth.backends.jwt.JWTBackend"
    options = {  # noqa: RUF012 - see Kind
        "algorithms": ["RS256"],
        "key": PUBLIC,
        "audience": "ours",
        "token_type": ("token_use", "access"),
    }
    has_scopes = True
    keeps_rows = False

    def valid(self, user):
        now = int(time.time())
        claims = {"sub": str(user.pk), "iat": now, "exp": now + HOUR, "aud": "ours"}
        # Another one in each test: a transaction that was rolled back gives out its keys again.
        claims |= {"scope": "read write", "token_use": "access", "test": next(numbers)}
        return jwt.encode(claims, _loaded(PRIVATE), algorithm="RS256")

    def refresh_token(self, user):
        return self._forged(user, token_use="refresh")

    def wrong_audience(self, user):
        return self._forged(user, aud="theirs")

    def confused(self, user):
        return _confused(self.valid(user), PUBLIC)


class AllauthJWT(Signed):
    name, title = "allauth_jwt", "allauth JWTs"
    path = "channels_token_auth.backends.allauth.AllauthJWTBackend"
    settings = {  # noqa: RUF012 - see Kind
        "AUTHENTICATION_BACKENDS": [MODEL_BACKEND],
        "HEADLESS_JWT_PRIVATE_KEY": PRIVATE,
    }
    answers = {State.DELETED_USER: CloseReason.TOKEN_REVOKED}  # noqa: RUF012 - see Kind
    queries = 2

    def valid(self, user):
        request = logged_in(user)
        UserSession.objects.create_from_request(request)
        return JWTTokenStrategy().create_access_token(request)

    def refresh_token(self, user):
        return create_refresh_token(user, logged_in(user).session)

    def confused(self, user):
        return _confused(self.valid(user), PUBLIC)

    def revoke(self, token, user):
        UserSession.objects.get(user=user).end()


def _jwk(key):
    """The key as a token's header would bring it (RFC 7517)."""
    if not key.startswith("-----"):
        return {"kty": "oct", "k": _base64url(key.encode())}
    return json.loads(RSAAlgorithm.to_jwk(_loaded(key).public_key()))


def _confused(token, public_key):
    """Its claims under HS256, with the public key as the secret: by hand, as PyJWT won't."""
    header = _base64url(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{header}.{token.split('.')[1]}"
    signature = hmac.digest(public_key.encode(), signed.encode(), "sha256")
    return f"{signed}.{_base64url(signature)}"


def _base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
