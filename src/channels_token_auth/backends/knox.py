"""Verify the tokens of django-rest-knox: opaque texts that expire, stored as digests."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db.models.signals import post_delete, post_save
from django.utils.crypto import constant_time_compare
from knox import settings as knox
from knox.crypto import hash_token

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
from .sources.moments import aware, has_passed
from .sources.owned_rows import delete_asked_for, for_write
from .sources.user_columns import UserColumns
from .sources.users import admit

__all__ = ["KnoxTokenBackend"]


class KnoxTokenBackend(BaseTokenBackend):
    """Accepts the tokens of knox, of its own model or of the one that `TOKEN_MODEL` names.

    `pattern`: a regular expression for whole tokens, so that no query is made for others; None: the
    format of new tokens, `TOKEN_PREFIX` and `AUTH_TOKEN_CHARACTER_LENGTH` hexadecimal digits.
    `token_id` is the first 32 hex digits of SHA-256 of the row's digest, since no row contains the
    token itself. Unlike knox, verifying a token here never renews or deletes it.
    """

    revocations = Revocations.ROWS
    is_local = True
    authority = Authority.OWNER
    extra = "knox"

    def __init__(self, *, pattern: str | None = None, name: str = "knox") -> None:
        super().__init__(name=name)
        self.schemes = frozenset({"bearer", knox.knox_settings.AUTH_HEADER_PREFIX.lower()})
        self._pattern = pattern
        self._users = UserColumns(lambda: self._model)
        self._by_key = Lookup(
            lambda: self._model.objects, "token_key", lambda rows: rows.select_related("user")
        )

    def recognizes(self, credential: Credential) -> bool:
        """Return True for the shape of a token, in a header under knox's scheme or `Bearer`."""
        if credential.scheme is not None and credential.scheme not in self.schemes:
            return False
        return has_shape(credential, self._shape())

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch with one query, users included."""
        rows: dict[str, list[Any]] = defaultdict(list)  # several tokens may have the same beginning
        for row in self._by_key.find({_key(credential.secret) for credential in credentials}):
            rows[row.token_key].append(row)
        return [self._verdict(each, rows[_key(each.secret)]) for each in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Revalidate the batch with one query: the tokens of these users. The
        expiry is the row's of now, which requests over HTTP move where `AUTO_REFRESH` is on.
        """
        users = self._users.needed_for(grants)
        rows = users.select(self._model.objects.all(), "digest", "expiry")
        # By user, since a socket does not keep its token, and no column has its id.
        rows = rows.filter(user__pk__in={each.user_pk for each in grants})

        # The column is hashed once more for `token_id`, which a database cannot do: compare here.
        def collect(rows: Any) -> dict[str, Any]:
            return {
                Secret(digest).digest: (users.user(columns), expiry)
                for digest, expiry, *columns in rows
            }

        found = read(rows, collect, {each.authentication.token_id for each in grants})
        return [_standing(each, found.get(each.authentication.token_id)) for each in grants]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Delete the rows: one query to find them, which reads all digests if a user is not known;
        and the queries of a deletion.
        """
        delete_asked_for(for_write(self._model.objects), "digest", grants)
        return [True] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Delete the user's rows, so that these tokens can never be valid again."""
        self._delete(
            row.pk
            for row in for_write(self._model.objects).filter(user__pk=user_pk)
            if _token_id(row) != except_token_id
            and (issued_before is None or aware(row.created) <= issued_before)
        )
        return True

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce deleted rows, as by a logout of knox; and new rows, which may replace others."""
        return [
            RevocationSignal(signal=post_delete, sender=self._model, tokens=_deleted),
            RevocationSignal(signal=post_save, sender=self._model, tokens=_saved),
        ]

    def check(self, site: Site) -> list[CheckMessage]:
        """Report a model that is not installed, and a pattern that is not valid."""
        messages = [*check_shape(self._shape(), "E131")]
        label = knox.knox_settings.TOKEN_MODEL
        try:
            apps.get_model(label)
        except (AttributeError, LookupError, ValueError) as error:
            messages.append(
                Error(
                    f"knox's token model {label!r} is not installed: {error}",
                    hint="Add 'knox' to INSTALLED_APPS, or name your own model in knox's"
                    " TOKEN_MODEL as 'app_label.Model'.",
                    id="channels_token_auth.E130",
                )
            )
        return messages

    @cached_property
    def _model(self) -> Any:
        return apps.get_model(knox.knox_settings.TOKEN_MODEL)

    def _shape(self) -> str:
        if self._pattern is not None:
            return self._pattern
        prefix = re.escape(knox.knox_settings.TOKEN_PREFIX)
        # knox generates whole bytes, so an odd number of digits is rounded down.
        digits = knox.knox_settings.AUTH_TOKEN_CHARACTER_LENGTH // 2 * 2
        return f"{prefix}[0-9a-f]{{{digits}}}"

    def _delete(self, pks: Iterable[Any]) -> None:
        for_write(self._model.objects).filter(pk__in=list(pks)).delete()

    def _verdict(self, credential: Credential, rows: Iterable[Any]) -> Verdict:
        # The beginning of a token finds its row, and is stored in clear text: only the digest of
        # the whole token proves it.
        row = next((row for row in rows if _is_of(credential.secret, row)), None)
        if row is None:
            return None
        authentication = Authentication(
            backend=self.name,
            token_id=_token_id(row),
            location=credential.location,
            issued_at=aware(row.created),
        )
        return _at_present(row.user, row.expiry, authentication)


def _standing(grant: Grant, found: tuple[Any, datetime | None] | None) -> Verdict:
    if found is None or found[0].pk != grant.user_pk:
        return TokenAuthError(CloseReason.TOKEN_REVOKED)
    return _at_present(*found, grant.authentication)


def _at_present(user: Any, expiry: datetime | None, authentication: Authentication) -> Verdict:
    expires_at = expiry and aware(expiry)
    if has_passed(expires_at):
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    return admit(user, replace(authentication, expires_at=expires_at))


def _deleted(instance: Any, **_: Any) -> Sequence[RevokedTokens]:
    return [RevokedTokens(user_pk=instance.user_id, token_id=_token_id(instance))]


def _saved(instance: Any, created: bool, raw: bool = False, **_: Any) -> Sequence[IssuedToken]:
    if not created or raw:  # `raw`: loaded from a fixture, and not issued
        return []
    return [IssuedToken(user_pk=instance.user_id, token_id=_token_id(instance))]


def _key(secret: Secret) -> str:
    """Return the beginning of the token, which its row stores in clear text."""
    return secret.reveal()[: knox.CONSTANTS.TOKEN_KEY_LENGTH]


def _is_of(secret: Secret, row: Any) -> bool:
    # In constant time, as knox does, so that the duration does not disclose parts of a digest.
    return constant_time_compare(hash_token(secret.reveal()), row.digest)


def _token_id(row: Any) -> str:
    return Secret(row.digest).digest
