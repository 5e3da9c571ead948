"""Verify the tokens of `rest_framework.authtoken`: one opaque key per user, without expiry."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.models import CharField, TextField
from django.db.models.signals import post_delete, post_save, pre_save

from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Verdict
from .base import BaseTokenBackend
from .contract import Authority, IssuedToken, Revocations, RevocationSignal, RevokedTokens
from .shape import check_shape, has_shape
from .site import Site
from .sources.lookup import Lookup, read
from .sources.moments import aware, for_column
from .sources.owned_rows import delete_asked_for, for_write, former_value
from .sources.user_columns import UserColumns
from .sources.users import admit

__all__ = ["DRFTokenBackend"]

STOCK = "authtoken.Token"
# Twenty random bytes in hexadecimal, as DRF's own model generates them.
KEY = "[0-9a-f]{40}"


class DRFTokenBackend(BaseTokenBackend):
    """Accepts the keys of `rest_framework.authtoken`, or of a model of the same shape.

    `model`: its label, for sites with a token model of their own. `pattern`: a regular
    expression for whole keys, so that no query is made for other tokens; None: forty hexadecimal
    digits for DRF's own model, and any text that fits into the column for another one. `name`: must
    be different for each of several such backends.
    """

    schemes = frozenset({"token", "bearer"})
    revocations = Revocations.ROWS
    is_local = True
    authority = Authority.OWNER
    extra = "drf"

    def __init__(
        self, *, model: str = STOCK, pattern: str | None = None, name: str = "drf"
    ) -> None:
        super().__init__(name=name)
        self._label = model
        self._pattern = KEY if pattern is None and model == STOCK else pattern
        self._users = UserColumns(lambda: self._model)
        self._by_key = Lookup(
            lambda: self._model.objects,
            "key",
            lambda rows: self._users.select(rows, "key", "created"),
        )

    def recognizes(self, credential: Credential) -> bool:
        """Return True for text in the shape of a key."""
        if self._pattern is not None:
            return has_shape(credential, self._pattern)
        return self._max_length is None or len(credential.secret.reveal()) <= self._max_length

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch with one query, users included."""
        found = self._by_key.find({credential.secret.reveal() for credential in credentials})
        rows = {row[0]: row for row in found}
        user_of = self._users.reader()
        return [self._verdict(c, rows.get(c.secret.reveal()), user_of) for c in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Revalidate the batch with one query: the tokens of these users."""
        users = self._users.needed_for(grants)
        rows = users.select(self._model.objects.all(), "key")
        # By user, since sockets do not keep keys: a user has one row in DRF's own model, and few in
        # a site's. The digest of each key is compared in Python.
        rows = rows.filter(user__pk__in={each.user_pk for each in grants})

        def collect(rows: Any) -> dict[str, Any]:
            return {Secret(key).digest: users.user(columns) for key, *columns in rows}

        found = read(rows, collect, {each.authentication.token_id for each in grants})
        return [_standing(each, found.get(each.authentication.token_id)) for each in grants]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Delete the rows, with few queries for the batch. The first reads all keys if a user is
        not known.
        """
        delete_asked_for(for_write(self._model.objects), "key", grants)
        return [True] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Delete the user's rows, so that these keys can never be valid again."""
        rows = for_write(self._model.objects).filter(user__pk=user_pk)
        if issued_before is not None:
            rows = rows.filter(created__lte=for_column(issued_before))
        # Compared by digest, as above: the caller has an id, and no key.
        kept = [row.pk for row in rows if Secret(row.key).digest == except_token_id]
        rows.exclude(pk__in=kept).delete()
        return True

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce deleted rows, by cascades too; new rows, which may replace others; and new keys
        in rows.
        """
        return [
            RevocationSignal(signal=post_delete, sender=self._model, tokens=_deleted),
            RevocationSignal(signal=post_save, sender=self._model, tokens=_saved),
            RevocationSignal(signal=pre_save, sender=self._model, tokens=_overwritten),
        ]

    def check(self, site: Site) -> list[CheckMessage]:
        """Report a model that is not installed or has another shape, and a pattern that is not
        valid.
        """
        messages = [*check_shape(self._pattern or "", "E102")]
        try:
            messages += _check_columns(apps.get_model(self._label))
        except (AttributeError, LookupError, ValueError) as error:
            messages.append(
                Error(
                    f"The token model {self._label!r} is not installed: {error}",
                    hint="Add 'rest_framework.authtoken' to INSTALLED_APPS, or name your own model"
                    " in the backend's OPTIONS as {'model': 'app_label.Model'}.",
                    id="channels_token_auth.E101",
                )
            )
        return messages

    @cached_property
    def _model(self) -> Any:
        return apps.get_model(self._label)

    @cached_property
    def _max_length(self) -> int | None:
        field: CharField[str, str] = self._model._meta.get_field("key")
        return field.max_length

    def _verdict(
        self,
        credential: Credential,
        row: Sequence[Any] | None,
        user_of: Callable[[Sequence[Any]], Any],
    ) -> Verdict:
        if row is None:
            return None
        _, created, *user = row
        authentication = Authentication(
            backend=self.name,
            token_id=credential.secret.digest,
            location=credential.location,
            issued_at=aware(created),
        )
        return admit(user_of(user), authentication)


def _check_columns(model: Any) -> Iterator[CheckMessage]:
    fields = {field.name: field for field in model._meta.fields}
    mistakes = [
        f"has no field {name!r}" for name in ("key", "user", "created") if name not in fields
    ]
    # Another type, such as a UUID, is written in several ways: one token would have several ids.
    if "key" in fields and not isinstance(fields["key"], CharField | TextField):
        mistakes.append(f"has keys of the type {type(fields['key']).__name__}")
    for mistake in mistakes:
        yield Error(
            f"The token model {model._meta.label!r} {mistake}: no token of it is accepted.",
            hint="It needs 'key' (a CharField or TextField), 'user' and 'created', as DRF's own has"
            " them. For any other model, write a token backend of your own.",
            id="channels_token_auth.E103",
        )


def _standing(grant: Grant, user: Any) -> Verdict:
    # A row may be given to another user: then the token of this one does not exist any more.
    if user is None or user.pk != grant.user_pk:
        return TokenAuthError(CloseReason.TOKEN_REVOKED)
    return admit(user, grant.authentication)  # a row never changes its key


def _deleted(instance: Any, **_: Any) -> Sequence[RevokedTokens]:
    return [RevokedTokens(user_pk=instance.user_id, token_id=Secret(instance.key).digest)]


def _saved(instance: Any, created: bool, raw: bool = False, **_: Any) -> Sequence[IssuedToken]:
    if not created or raw:  # `raw`: loaded from a fixture, and not issued
        return []
    return [IssuedToken(user_pk=instance.user_id, token_id=Secret(instance.key).digest)]


def _overwritten(instance: Any, **given: Any) -> Sequence[RevokedTokens]:
    # Called before the save, while the database still has the former key.
    key = former_value(instance, "key", **given)
    if key is None:
        return []
    token_id = Secret(key).digest
    return [RevokedTokens(user_pk=instance.user_id, token_id=token_id, is_replaced=True)]
