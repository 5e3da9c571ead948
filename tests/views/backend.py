"""A token backend that does with a token what it says."""

from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection

from channels_token_auth import BaseTokenBackend, Revocations
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity


class TellingBackend(BaseTokenBackend):
    """Knows `expires-<seconds>`, the slug of a code, `away`, and `outside` of a transaction."""

    name = "telling"
    schemes = frozenset({"bearer"})
    revocations = Revocations.ROWS

    def recognizes(self, credential):
        return True

    def authenticate(self, credentials):
        return [self._verdict(each.secret.reveal(), each) for each in credentials]

    def revalidate(self, held):
        return [Identity(user=_user(), authentication=each.authentication) for each in held]

    def check(self, site):
        return []

    def _verdict(self, token, credential):
        if token == "away":
            raise OperationalError
        if token in list(CloseReason):
            return TokenAuthError(CloseReason(token))
        if token == "outside" and not connection.in_atomic_block:
            token = "expires-1"
        if not token.startswith("expires-"):
            return None
        lifetime = timedelta(seconds=float(token.removeprefix("expires-")))
        authentication = Authentication(
            backend=self.name,
            token_id=credential.secret.digest,
            location=credential.location,
            expires_at=datetime.now(UTC) + lifetime,
        )
        return Identity(user=_user(), authentication=authentication)


def _user():
    return get_user_model()(pk=7)


def read_scopes(*_):
    return ["read"]
