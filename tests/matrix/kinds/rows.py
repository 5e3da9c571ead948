"""Tokens that are opaque, and each a row: of DRF, knox and django-oauth-toolkit."""

from datetime import UTC, datetime, timedelta

from knox.models import AuthToken
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauthlib.common import generate_token
from rest_framework.authtoken.models import Token

from channels_token_auth.core.close_codes import CloseReason
from tests.matrix.kind import Kind, State

HOUR = timedelta(hours=1)
GONE = {State.REVOKED: CloseReason.TOKEN_INVALID}  # there is no row any more that would know better
HAS_RESOURCES = any(field.name == "resource" for field in AccessToken._meta.get_fields())


class DRF(Kind):
    name, title = "drf", "DRF `authtoken`"
    path = "channels_token_auth.backends.drf.DRFTokenBackend"
    answers = GONE
    expires = False

    def valid(self, user):
        return Token.objects.create(user=user).key

    def unknown(self, user):
        return Token.generate_key()

    def revoke(self, token, user):
        Token.objects.get(key=token).delete()


class Knox(Kind):
    name, title = "knox", "knox"
    path = "channels_token_auth.backends.knox.KnoxTokenBackend"
    answers = GONE

    def valid(self, user):
        return AuthToken.objects.create(user)[1]

    def expired(self, user):
        return AuthToken.objects.create(user, expiry=-HOUR)[1]

    def unknown(self, user):
        known = self.valid(user)
        return known[:-1] + ("0" if known[-1] != "0" else "1")

    def revoke(self, token, user):
        AuthToken.objects.get(user=user).delete()


class OAuth2(Kind):
    name, title = "oauth2", "django-oauth-toolkit"
    path = "channels_token_auth.backends.oauth2.OAuth2Backend"
    options = {"audience": "https://ours.example/"}  # noqa: RUF012 - see Kind
    answers = GONE
    has_scopes = True

    def valid(self, user, **fields):
        expires = datetime.now(UTC) + HOUR
        values = {"token": generate_token(), "scope": "read write", "expires": expires}
        return AccessToken.objects.create(user=user, **values | fields).token

    def unknown(self, user):
        return generate_token()

    def expired(self, user):
        return self.valid(user, expires=datetime.now(UTC) - HOUR)

    def refresh_token(self, user):
        client = Application.objects.create(client_type="public", authorization_grant_type="x")
        access_token = AccessToken.objects.get(token=self.valid(user))
        token = generate_token()
        RefreshToken.objects.create(
            user=user, token=token, application=client, access_token=access_token
        )
        return token

    if HAS_RESOURCES:  # older versions bind no token to an audience

        def wrong_audience(self, user):
            return self.valid(user, resource=["https://other.example/"])

    def revoke(self, token, user):
        AccessToken.objects.get(token=token).revoke()
