"""Accept JWTs of any issuer, verified by PyJWT: by a secret, public keys, or a key server's keys.

No row records these tokens: only the denylist can revoke one before it expires.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.checks import CheckMessage

from ...core.authentication import Authentication
from ...core.credentials import Credential
from ...core.errors import TokenAuthError
from ...core.identity import Grant, Identity, Verdict
from ..base import BaseTokenBackend
from ..contract import Authority
from ..site import Site
from ..sources.claimed_users import ClaimedUsers
from ..sources.claims import ClaimRules, Claims
from ..sources.managers import package_users
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from .checks import check_options
from .options import JWTOptions
from .verifier import JWTVerifier

__all__ = ["JWTBackend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Valid:
    """A token whose signature and claims are right."""

    claims: Claims
    thumbprint: str | None
    authentication: Authentication


class JWTBackend(BaseTokenBackend):
    """Accepts the tokens that its options describe: `options` are those of `JWTOptions`."""

    is_delegated = True
    has_labels = True
    authority = Authority.ISSUER
    extra = "jwt"

    def __init__(self, *, name: str = "jwt", **options: Any) -> None:
        super().__init__(name=name)
        self._options = JWTOptions(**options)
        # A function of the site may block, for example on another server.
        self.is_local = self._options.user is None
        self._verifier = JWTVerifier(self._options)
        self._rules = ClaimRules(
            backend=self.name,
            leeway=self._options.leeway,
            scope_claim=self._options.scope_claim,
            labels=self._options.labels,
            allows_machines=self._options.allow_machines,
        )
        self._users_by_key = UsersByKey(package_users)
        self.claimed_users = ClaimedUsers(
            claim=self._options.user_claim,
            field=self._options.user_field,
            function=self._options.user,
        )

    def recognizes(self, credential: Credential) -> bool:
        """Recognize the three parts of a signed JWT, in a header as `Bearer`."""
        # Header, payload and signature (RFC 7515, section 3.1). An encrypted JWT has five parts
        # (RFC 7516, section 3.1).
        return super().recognizes(credential) and credential.secret.reveal().count(".") == 2

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Find the batch's users with one query, or by a call of the function `user` for each. A
        token whose key has to be fetched first is `Undecided`.
        """
        opened = [self._open(credential) for credential in credentials]
        # Query only for signed tokens: a forged one causes no query.
        valid = [each for each in opened if isinstance(each, _Valid)]
        users = iter(self.claimed_users.find([each.claims for each in valid]))
        return [
            _verdict(each, next(users)) if isinstance(each, _Valid) else each for each in opened
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Check the users with one query. Sockets do not keep their tokens, so they are not
        verified again. But the key of each is known, and the key server may have withdrawn it.
        """
        withdrawn = self._verifier.withdrawn({each.handle for each in grants})
        verdicts = self._users_by_key.revalidate(grants)
        return [
            # `UsersByKey` returns no handle: keep the thumbprint of the key for the next sweep.
            withdrawn.get(each.handle) or replace(verdict, handle=each.handle)
            if isinstance(verdict, Identity)
            else verdict
            for each, verdict in zip(grants, verdicts, strict=True)
        ]

    def check(self, site: Site) -> list[CheckMessage]:
        """Report options that accept more than they seem to, and claims that identify no user."""
        return [*check_options(self._options), *self.claimed_users.check("E125", "W125")]

    @property
    def label_names(self) -> Collection[str]:
        """Return the names of the labels that its tokens may have."""
        return self._rules.label_names

    @property
    def issuers(self) -> Sequence[str]:
        """Return the only issuers whose tokens are accepted; empty: of any."""
        return self._options.issuers

    def _open(self, credential: Credential) -> _Valid | TokenAuthError:
        verified = self._verifier.verify(credential.secret.reveal())
        if isinstance(verified, TokenAuthError):
            return verified
        authentication = self._rules.read(verified.claims, credential)
        if isinstance(authentication, TokenAuthError):
            return authentication
        return _Valid(
            claims=verified.claims,
            thumbprint=verified.thumbprint,
            authentication=authentication,
        )


def _verdict(valid: _Valid, user: Any) -> Verdict:
    if isinstance(user, TokenAuthError):
        return user
    # The thumbprint is no secret, and all that a sweep needs: the socket keeps no token.
    return admit(user, valid.authentication, handle=valid.thumbprint)
