"""Verify django-oauth-toolkit's access tokens: opaque texts, found by their checksum.

These are tokens of this site's own authorization server; for those of another server use
`introspection`. A row contains the SHA-256 of its token, whose first half is our `token_id`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db import router, transaction
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.db.models.signals import post_delete, post_save, pre_save
from django.utils import timezone
from oauth2_provider.settings import oauth2_settings
from oauthlib.common import Request

from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Verdict
from .base import BaseTokenBackend
from .contract import Authority, IssuedToken, Revocations, RevocationSignal, RevokedTokens
from .reasons import CLIENT_OFF, NOBODYS, OTHER_RESOURCE
from .shape import check_shape, has_shape
from .site import Site
from .sources.lookup import Lookup, read
from .sources.moments import aware, for_column
from .sources.owned_rows import for_write, former_value, owned
from .sources.users import admit

__all__ = ["OAuth2Backend"]

DIGITS = len(Secret("").digest)
"""Characters of a row's checksum that make the `token_id`."""

ISSUED, ANYTHING = "[0-9A-Za-z]{30}", ".*"


class OAuth2Backend(BaseTokenBackend):
    """Accepts the access tokens that django-oauth-toolkit has issued to users.

    `audience`: this site's URI as clients name it in `resource` (RFC 8707); without one, a token
    that is restricted to resources is refused. `pattern`: a regular expression for whole tokens, so
    that no query is made for others; None: the thirty letters and digits that the package
    generates, or any text if the site has an `ACCESS_TOKEN_GENERATOR`. `name`: for
    `Authentication.backend`.
    """

    schemes = frozenset({"bearer"})
    revocations = Revocations.ROWS
    is_local = True
    is_delegated = True
    authority = Authority.OWNER
    extra = "oauth2"

    def __init__(
        self, *, audience: str | None = None, pattern: str | None = None, name: str = "oauth2"
    ) -> None:
        super().__init__(name=name)
        self._audience = audience
        self._pattern = pattern
        self._by_checksum = Lookup(
            lambda: self._tokens.objects,
            "token_checksum",
            lambda rows: rows.select_related("user", "application"),
        )

    def recognizes(self, credential: Credential) -> bool:
        """Return True for text in the shape of a token."""
        return has_shape(credential, self._shape())

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch with one query, users and applications included."""
        # The package's own index: the column with the token itself may be empty.
        checksums = [_checksum(credential) for credential in credentials]
        tokens = {row.token_checksum: row for row in self._by_checksum.find(set(checksums))}
        return [
            self._verdict(tokens[checksum], credential.location) if checksum in tokens else None
            for credential, checksum in zip(credentials, checksums, strict=True)
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Revalidate the batch with one query, users and applications included."""
        wanted = [(each.user_pk, each.authentication.token_id) for each in grants]
        tokens = read(_of_grants(self._rows(), grants), _by_name, set(wanted))
        found = [tokens.get(name) for name in wanted]
        return [
            self._verdict(token, each.authentication.location)
            if token
            else TokenAuthError(CloseReason.TOKEN_REVOKED)
            for each, token in zip(grants, found, strict=True)
        ]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Revoke as the package does (RFC 7009 §2.1): the refresh token goes with its token."""
        # Together: a refresh token that is left over could fetch another access token.
        with self._atomic():
            rows = _of_grants(for_write(self._tokens.objects).only("pk"), grants)
            ended = [row.pk for row in rows]
            _revoke(for_write(self._refresh_tokens.objects).filter(access_token__in=ended))
            for_write(self._tokens.objects).filter(pk__in=ended).delete()
        return [True] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Revoke the user's access tokens and refresh tokens, for ever."""
        tokens = for_write(self._tokens.objects).filter(user=user_pk)
        refresh_tokens = for_write(self._refresh_tokens.objects).filter(user=user_pk)
        if issued_before is not None:
            before = for_column(issued_before)
            tokens = tokens.filter(created__lte=before)
            refresh_tokens = refresh_tokens.filter(created__lte=before)
        with self._atomic():
            # By id, which no column holds: the caller has no token.
            kept = [row.pk for row in tokens if _token_id(row) == except_token_id]
            spared = for_write(self._refresh_tokens.objects).filter(access_token__in=kept)
            _revoke(refresh_tokens.exclude(pk__in=[row.pk for row in spared]))
            tokens.exclude(pk__in=kept).delete()
        return True

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce deleted rows, which are revocations; new rows, because a refresh with rotation
        deletes one and creates another; and new tokens in rows, by a refresh without rotation.
        """
        return [
            RevocationSignal(signal=post_delete, sender=self._tokens, tokens=_deleted),
            RevocationSignal(signal=post_save, sender=self._tokens, tokens=_saved),
            RevocationSignal(signal=pre_save, sender=self._tokens, tokens=_overwritten),
        ]

    def check(self, site: Site) -> list[CheckMessage]:
        """Report models that are not installed, and a pattern that is not valid."""
        messages = [*check_shape(self._shape(), "E162")]
        try:
            apps.get_model(oauth2_settings.ACCESS_TOKEN_MODEL)
            apps.get_model(oauth2_settings.REFRESH_TOKEN_MODEL)
        except (AttributeError, LookupError, ValueError) as error:
            messages.append(
                Error(
                    f"The models of django-oauth-toolkit are not installed: {error}",
                    hint="Add 'oauth2_provider' to INSTALLED_APPS, and the app of your own token"
                    " models if OAUTH2_PROVIDER names some.",
                    id="channels_token_auth.E161",
                )
            )
        return messages

    def _shape(self) -> str:
        if self._pattern is not None:
            return self._pattern
        return ISSUED if oauth2_settings.ACCESS_TOKEN_GENERATOR is None else ANYTHING

    @cached_property
    def _tokens(self) -> Any:
        return apps.get_model(oauth2_settings.ACCESS_TOKEN_MODEL)

    @cached_property
    def _refresh_tokens(self) -> Any:
        return apps.get_model(oauth2_settings.REFRESH_TOKEN_MODEL)

    def _rows(self) -> Any:
        return self._tokens.objects.select_related("user", "application")

    def _atomic(self) -> Any:
        return transaction.atomic(using=router.db_for_write(self._tokens))

    def _verdict(self, token: Any, location: Location) -> Verdict:
        if token.is_expired():
            return TokenAuthError(CloseReason.TOKEN_EXPIRED)
        # RFC 8707, section 2: a token that was requested for another resource is not for us.
        if not self._is_for_us(token):
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=OTHER_RESOURCE)
        if not _is_usable(token.application):
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=CLIENT_OFF)
        if token.user is None:
            # A machine's token (RFC 6749 §4.4) is valid, so do not send its client to a login.
            return TokenAuthError(CloseReason.FORBIDDEN, detail=NOBODYS)
        authentication = Authentication(
            backend=self.name,
            token_id=_token_id(token),
            location=location,
            scopes=frozenset(token.scope.split()),
            issued_at=aware(token.created),
            expires_at=aware(token.expires),
        )
        return admit(token.user, authentication)

    def _is_for_us(self, token: Any) -> bool:
        if not getattr(token, "resource", None):  # older versions have no such column
            return True
        return self._audience is not None and bool(token.allows_audience(self._audience))


def _checksum(credential: Credential) -> str:
    return sha256(credential.secret.reveal().encode()).hexdigest()


def _token_id(token: Any) -> str:
    # Not from `token.token`, which sites may leave empty: the checksum is always there.
    checksum: str = token.token_checksum
    return checksum[:DIGITS]


def _by_name(rows: Any) -> dict[tuple[Any, str], Any]:
    return {(row.user_id, _token_id(row)): row for row in rows}


def _of_grants(rows: Any, grants: Sequence[Grant]) -> Any:
    """Return the rows of these tokens: by their users, if all are known."""
    token_ids = {each.authentication.token_id for each in grants}
    rows = rows.alias(token_id=Left("token_checksum", DIGITS)).filter(token_id__in=token_ids)
    return owned(rows, grants)


def _is_usable(application: Any) -> bool:
    """Return False if the site has disabled the client, as the package does for requests."""
    return application is None or bool(application.is_usable(Request("")))


def _revoke(refresh_tokens: QuerySet[Any]) -> None:
    now = timezone.now()
    refresh_tokens.filter(revoked=None).update(revoked=now, updated=now)


def _deleted(instance: Any, **_: Any) -> Iterable[RevokedTokens]:
    # Ignore expired tokens: their sockets are closed, and `cleartokens` deletes thousands of them.
    if instance.user_id is not None and not instance.is_expired():
        yield RevokedTokens(user_pk=instance.user_id, token_id=_token_id(instance))


def _saved(instance: Any, created: bool, raw: bool = False, **_: Any) -> Sequence[IssuedToken]:
    is_issued = created and not raw and instance.user_id is not None
    if not is_issued:
        return []
    return [IssuedToken(user_pk=instance.user_id, token_id=_token_id(instance))]


def _overwritten(instance: Any, **given: Any) -> Iterable[RevokedTokens]:
    checksum = former_value(instance, "token_checksum", **given)
    if checksum is not None and instance.user_id is not None:
        token_id = checksum[:DIGITS]
        yield RevokedTokens(user_pk=instance.user_id, token_id=token_id, is_replaced=True)
