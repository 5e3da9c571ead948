"""JWTs of any issuer, verified by PyJWT: with a secret, public keys, or those of a key server.

No row knows these tokens: what ends one before its time is the denylist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage

from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, is_token
from ...core.errors import TokenAuthError
from ...core.identity import Grant, Identity, Verdict
from ..base import BaseTokenBackend
from ..contract import Authority
from ..site import Site
from ..sources.claimed_users import ClaimedUsers
from ..sources.managers import package_users
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from .checks import check_options
from .options import JWTOptions
from .verifier import Claims, JWTVerifier

__all__ = ["JWTBackend"]

MAX_JTI_BYTES = 128
"""A longer `jti` is no name of a token for logs and caches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Valid:
    """A token whose signature and claims are right."""

    claims: Claims
    thumbprint: str | None
    authentication: Authentication


class JWTBackend(BaseTokenBackend):
    """Accepts the tokens that its options describe: `options` are those of `JWTOptions`."""

    is_delegated = True
    authority = Authority.ISSUER
    extra = "jwt"

    def __init__(self, *, name: str = "jwt", **options: Any) -> None:
        super().__init__(name=name)
        self._options = JWTOptions(**options)
        # A function of the site's may ask anything, such as another server.
        self.is_local = self._options.user is None
        self._verifier = JWTVerifier(self._options)
        self._users_by_key = UsersByKey(package_users)
        self._claimed_users = ClaimedUsers(
            claim=self._options.user_claim,
            field=self._options.user_field,
            function=self._options.user,
        )

    def recognizes(self, credential: Credential) -> bool:
        """What has the three parts of a signed JWT, in a header as `Bearer`."""
        is_announced = credential.scheme is None or credential.scheme in self.schemes
        return is_announced and credential.secret.reveal().count(".") == 2

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """One query for the batch's users, or one call each of the function `user`. The key server
        is asked once at most, and rarely at all.
        """
        opened = [self._open(credential) for credential in credentials]
        valid = [each for each in opened if isinstance(each, _Valid)]
        users = iter(self._claimed_users.find([each.claims for each in valid]))
        return [
            _verdict(each, next(users)) if isinstance(each, _Valid) else each for each in opened
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """One query for their users. The tokens are not verified again: nobody keeps them. But it
        is known which key signed each, and the key server may have withdrawn that.
        """
        withdrawn = self._verifier.withdrawn({each.handle for each in grants})
        verdicts = self._users_by_key.revalidate(grants)
        return [
            withdrawn.get(each.handle) or replace(verdict, handle=each.handle)
            if isinstance(verdict, Identity)
            else verdict
            for each, verdict in zip(grants, verdicts, strict=True)
        ]

    def check(self, site: Site) -> list[CheckMessage]:
        """No option may let in more than it seems to, and a claim has to name one user."""
        return [*check_options(self._options), *self._claimed_users.check("125")]

    def _open(self, credential: Credential) -> _Valid | TokenAuthError | None:
        verified = self._verifier.verify(credential.secret.reveal())
        if verified is None or isinstance(verified, TokenAuthError):
            return verified
        try:
            authentication = self._authentication(credential, verified.claims)
        except (OSError, OverflowError, ValueError):  # dates that no calendar has
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        return _Valid(
            claims=verified.claims,
            thumbprint=verified.thumbprint,
            authentication=authentication,
        )

    def _authentication(self, credential: Credential, claims: Claims) -> Authentication:
        expires_at = _moment(claims.get("exp"))
        return Authentication(
            backend=self.name,
            token_id=_name(claims.get("jti")) or credential.secret.digest,
            location=credential.location,
            scopes=_scopes(claims.get(self._options.scope_claim or "")),
            issued_at=_moment(claims.get("iat")),
            # It is refused from then on: a socket that is let in after `exp` has to last.
            expires_at=expires_at and expires_at + timedelta(seconds=self._options.leeway),
        )


def _verdict(valid: _Valid, user: Any) -> Verdict:
    if user is None:
        return TokenAuthError(CloseReason.TOKEN_INVALID)
    if not isinstance(user, get_user_model()):
        raise TypeError(f"The function 'user' returned no user of the site's, but {type(user)}.")
    return admit(user, valid.authentication, handle=valid.thumbprint)


def _name(jti: Any) -> str | None:
    return jti if isinstance(jti, str) and is_token(jti, MAX_JTI_BYTES) else None


def _moment(claim: Any) -> datetime | None:
    # Whole seconds, as PyJWT compares them.
    return None if claim is None else datetime.fromtimestamp(int(claim), UTC)


def _scopes(claim: Any) -> frozenset[str]:
    """Words of a text (RFC 8693 §4.2), or the texts of a list."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    return frozenset(word for word in words if isinstance(word, str))
