"""Django REST framework's `authtoken`: an opaque key in a row, one a user, without expiry."""

import copy
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.models import CharField

from ..core.authentication import Authentication
from ..core.close_codes import Code
from ..core.credentials import Credential, Secret
from ..core.errors import TokenAuthError
from .base import Held, Identity, Verdict

__all__ = ["DRFTokenBackend"]


class DRFTokenBackend:
    """Accepts the keys of `rest_framework.authtoken`, or of a model of the same shape.

    `model`: its label, for sites with a token model of their own. `name`: another one for each of
    several such backends.
    """

    schemes = frozenset({"token", "bearer"})

    def __init__(self, *, model: str = "authtoken.Token", name: str = "drf") -> None:
        self.name = name
        self._label = model

    @property
    def _model(self) -> Any:
        return apps.get_model(self._label)

    def claims(self, credential: Credential) -> bool:
        """Any key the column could hold."""
        field: CharField[str, str] = self._model._meta.get_field("key")
        return field.max_length is None or len(credential.secret.reveal()) <= field.max_length

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """One query for the batch, users included."""
        keys = {credential.secret.reveal() for credential in credentials}
        rows = self._model.objects.select_related("user").filter(key__in=keys)
        tokens = {row.key: row for row in rows}
        return [self._verdict(c, tokens.get(c.secret.reveal())) for c in credentials]

    def recheck(self, held: Sequence[Held]) -> Sequence[Verdict]:
        """One query for the batch: the tokens of these users, users included."""
        users = {each.user_pk for each in held}
        rows = self._model.objects.select_related("user").filter(user__pk__in=users)
        tokens = {(row.user.pk, Secret(row.key).digest): row for row in rows}
        return [
            _standing(each, tokens.get((each.user_pk, each.authentication.token_id)))
            for each in held
        ]

    def check(self) -> list[CheckMessage]:
        """The model must be installed."""
        try:
            apps.get_model(self._label)
        except (AttributeError, LookupError, ValueError) as error:
            return [
                Error(
                    f"The token model {self._label!r} is not installed: {error}",
                    hint="Add 'rest_framework.authtoken' to INSTALLED_APPS, or name your own model"
                    " in the backend's OPTIONS as {'model': 'app_label.Model'}.",
                    id="channels_token_auth.E101",
                )
            ]
        return []

    def _verdict(self, credential: Credential, token: Any) -> Verdict:
        if token is None:
            return None
        authentication = Authentication(
            backend=self.name,
            token_id=credential.secret.digest,
            location=credential.location,
            issued_at=token.created,
        )
        return _identity(token, authentication)


def _standing(held: Held, token: Any) -> Verdict:
    if token is None:
        return TokenAuthError(Code.TOKEN_REVOKED)
    return _identity(token, held.authentication)  # a row never changes its key


def _identity(token: Any, authentication: Authentication) -> Verdict:
    if not token.user.is_active:
        return TokenAuthError(Code.USER_INACTIVE)
    # Two sockets may present one token in one batch: neither sees the other's changes.
    return Identity(user=copy.copy(token.user), authentication=authentication)
