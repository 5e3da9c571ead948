"""Accept the JWTs of djangorestframework-simplejwt, by the package's classes and settings.

Users and the blacklist are queried once for a batch; the package queries them for each token.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.checks import CheckMessage
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import BlacklistMixin, Token, UntypedToken
from rest_framework_simplejwt.utils import get_md5_hash_password

from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, Secret
from ...core.errors import Detail, TokenAuthError
from ...core.identity import FOREIGN, SITE_USERS, Grant, Identity, UserInactiveError, Verdict
from ..base import BaseTokenBackend
from ..contract import Authority, Revocations, RevocationSignal
from ..site import Site
from ..sources.claimed_users import ClaimedUsers
from ..sources.claims import ClaimRules
from ..sources.managers import package_users
from ..sources.site_functions import ask_site, name_of
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from . import blacklist
from .checks import check_keys, check_types
from .tokens import leeway_of, read_token

__all__ = ["SimpleJWTBackend"]

MAX_JTI_BYTES = 255
"""The longest `jti` that the blacklist's column holds."""

NO_USER = Detail(
    slug="unknown_user",
    remedy="The token has no usable USER_ID_CLAIM: have the view that issues it set one.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Valid:
    """A token whose signature and claims are right."""

    token: Token
    authentication: Authentication


class SimpleJWTBackend(BaseTokenBackend):
    """Accepts the tokens that `AUTH_TOKEN_CLASSES` accept, but never a refresh token.

    `stateless`: users are built from their tokens (`TOKEN_USER_CLASS`), without a query. `labels`:
    claims to revoke by, besides `sid` and the client's id.
    """

    # Sliding tokens may have a row, but not every one does.
    revocations = Revocations.NOWHERE
    is_local = True
    has_labels = True
    authority = Authority.OWNER
    extra = "simplejwt"

    def __init__(
        self, *, stateless: bool = False, labels: Sequence[str] = (), name: str = "simplejwt"
    ) -> None:
        super().__init__(name=name)
        # The setting may be one text, which would be a list of letters.
        types = api_settings.AUTH_HEADER_TYPES
        types = [types] if isinstance(types, str) else types
        self.schemes = frozenset({"bearer", *(each.lower() for each in types)})
        if isinstance(labels, str):
            raise TypeError("'labels' must be a list of claims.")
        self._stateless = stateless
        self.user_kind = FOREIGN if stateless else SITE_USERS
        self._labels = tuple(labels)
        self._users_by_key = UsersByKey(package_users)

    @property
    def label_names(self) -> Collection[str]:
        """Return the names of the labels that its tokens may have."""
        return {"client_id", "sid", *self._labels}

    def recognizes(self, credential: Credential) -> bool:
        """Recognize the three parts of a signed JWT, in a header under one of the schemes."""
        return super().recognizes(credential) and credential.secret.reveal().count(".") == 2

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify the batch with a query for the users, and one for the blacklist if it is
        installed. Stateless: without queries, or with the second if a token class uses the
        blacklist.
        """
        # Signatures first: only for valid tokens are users and the blacklist queried.
        opened = [self._open(credential) for credential in credentials]
        valid = [each for each in opened if isinstance(each, _Valid)]
        revoked = self._find_blacklisted([each.authentication for each in valid])
        users = iter(self._find_users([each.token for each in valid]))
        return [
            self._verdict(each, next(users), revoked) if isinstance(each, _Valid) else each
            for each in opened
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Query the users and the blacklist as in `authenticate`. Sockets do not keep their tokens:
        of a stateless user only the key is still known; of others also the claim about their
        password.
        """
        revoked = self._find_blacklisted([each.authentication for each in grants])
        keys = {each.user_pk for each in grants}
        users = (
            {key: _made_of(key) for key in keys}
            if self._stateless
            else self._users_by_key.find(keys)
        )
        return [self._standing(each, users.get(each.user_pk), revoked) for each in grants]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Blacklist the tokens that have a row: sliding tokens, but no access tokens."""
        asked = [each.authentication.token_id for each in grants]
        # An access token has no row in the package's tables: the denylist gets it.
        ended = blacklist.blacklist(asked) if self._has_blacklist else set()
        return [token_id in ended for token_id in asked]

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Blacklist the user's refresh and sliding tokens. False: access tokens have no row.

        The refresh token behind the excepted access token ends too: no row records which it is.
        """
        if blacklist.is_installed() and not self._stateless:
            blacklist.blacklist_of_user(
                user_pk, except_token_id=except_token_id, issued_before=issued_before
            )
        return False

    def announcements(self) -> Sequence[RevocationSignal]:
        """Announce the creation of a row in the blacklist, if it is installed."""
        return blacklist.announcements() if self._has_blacklist else []

    def check(self, site: Site) -> list[CheckMessage]:
        """Report settings of the package that accept refresh tokens, or identify no user."""
        users = () if self._stateless else self._claimed_users.check("E111")
        return [*check_types(), *users, *check_keys()]

    @property
    def _has_blacklist(self) -> bool:
        """Return True if a token of this backend may be in the package's blacklist."""
        return blacklist.is_installed() and (
            not self._stateless
            or any(issubclass(each, BlacklistMixin) for each in api_settings.AUTH_TOKEN_CLASSES)
        )

    @cached_property
    def _claimed_users(self) -> ClaimedUsers:
        return ClaimedUsers(
            claim=api_settings.USER_ID_CLAIM, field=api_settings.USER_ID_FIELD, function=None
        )

    def _open(self, credential: Credential) -> _Valid | TokenAuthError:
        token = read_token(credential.secret.reveal())
        if isinstance(token, TokenAuthError):
            return token
        rules = ClaimRules(
            backend=self.name,
            leeway=leeway_of(token),
            id_claim=api_settings.JTI_CLAIM or "",
            max_id_bytes=MAX_JTI_BYTES,
            scope_claim=None,
            labels=self._labels,
        )
        authentication = rules.read(token.payload, credential)
        if isinstance(authentication, TokenAuthError):
            return authentication
        return _Valid(token=token, authentication=authentication)

    def _find_blacklisted(self, authentications: Sequence[Authentication]) -> Collection[str]:
        token_ids = [each.token_id for each in authentications]
        return blacklist.find_blacklisted(token_ids) if self._has_blacklist else ()

    def _find_users(self, tokens: Sequence[Token]) -> Sequence[Any]:
        """Return the user of each, or the refusal."""
        if not self._stateless:
            return self._claimed_users.find([token.payload for token in tokens])
        claim = api_settings.USER_ID_CLAIM
        made_by = api_settings.TOKEN_USER_CLASS
        return [
            ask_site(made_by, token, name=name_of(made_by))
            if _is_key(token.get(claim))
            else TokenAuthError(CloseReason.TOKEN_INVALID, detail=NO_USER)
            for token in tokens
        ]

    def _verdict(self, valid: _Valid, user: Any, revoked: Collection[str]) -> Verdict:
        if isinstance(user, TokenAuthError):
            return user
        claim = self._password_claim(valid.token)
        return self._admit(user, valid.authentication, revoked, claim)

    def _standing(self, grant: Grant, user: Any, revoked: Collection[str]) -> Verdict:
        if user is None:
            return TokenAuthError(CloseReason.TOKEN_REVOKED)
        return self._admit(user, grant.authentication, revoked, grant.handle)

    def _password_claim(self, token: Token) -> Secret | None:
        """Return the claim about the user's password, if the package is set to check it."""
        if self._stateless or not api_settings.CHECK_REVOKE_TOKEN:
            return None
        # A secret, because it is derived from the hash of the password.
        return Secret(str(token.get(api_settings.REVOKE_TOKEN_CLAIM)))

    def _admit(
        self,
        user: Any,
        authentication: Authentication,
        revoked: Collection[str],
        claim: Secret | None,
    ) -> Verdict:
        if not self._stateless:
            rule = api_settings.USER_AUTHENTICATION_RULE
            may_pass = ask_site(rule, user, name=name_of(rule))
            if isinstance(may_pass, TokenAuthError):
                return may_pass
            if not may_pass:
                return UserInactiveError(
                    Identity(user=user, authentication=authentication, handle=claim)
                )
        verdict = admit(user, authentication, claim)
        # The package compares an MD5 of the password's hash: after a new password it differs, and
        # the token is revoked.
        has_changed = claim is not None and claim != Secret(get_md5_hash_password(user.password))
        if isinstance(verdict, Identity) and (has_changed or authentication.token_id in revoked):
            return TokenAuthError(CloseReason.TOKEN_REVOKED)
        return verdict


def _is_key(claim: Any) -> bool:
    # In Python, True and False are integers.
    return isinstance(claim, str | int) and not isinstance(claim, bool) and claim != ""


def _made_of(key: Any) -> Any:
    # `TOKEN_USER_CLASS` is built from a token: give it one with all that is still known.
    token = UntypedToken()
    token.payload = {api_settings.USER_ID_CLAIM: key}
    return api_settings.TOKEN_USER_CLASS(token)
