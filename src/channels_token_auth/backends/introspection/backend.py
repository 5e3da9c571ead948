"""Tokens of another authorization server, which is asked about each of them (RFC 7662).

What it answers is judged here; how it is asked is `introspection_client`'s. It tells nobody that a
token has ended: so it is asked again, by the token that the socket keeps.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core import checks

from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential, is_token
from ...core.errors import TokenAuthError
from ...core.identity import Grant, Verdict, unavailable
from ..base import BaseTokenBackend
from ..contract import Authority, Revocations
from ..site import Site
from ..sources.claimed_users import ClaimedUsers
from ..sources.managers import package_users
from ..sources.revalidation import revalidate_presented
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from .client import IntrospectionClient

__all__ = ["IntrospectionBackend"]

Claims = Mapping[str, Any]

ACCESS = {None, "bearer", "access_token"}
"""What `token_type` may say. A DPoP token, say, is none without its proof (RFC 9449 §7.1)."""

REFRESH = {"refresh", "refresh_token"}
"""What some servers say of refresh tokens, in `typ` or `token_use`."""

MAX_JTI_BYTES = 128
"""A longer `jti` is no name of a token for logs and caches."""


class IntrospectionBackend(BaseTokenBackend):
    """Accepts the tokens that the server at `url` calls active.

    `client_id` and `client_secret`, or `bearer_token`: ours, to be let ask. `audience`, `issuer`:
    what `aud` and `iss` have to say, where set. `user_claim`, `user_field`: which claim names the
    user, and which of his fields has it (by default the one he logs in with); or `user`: the
    dotted path of a function from the claims to a user or None. `timeout`: seconds for a batch.
    `recheck`: whether sockets keep their tokens, so that the server is asked about them again.
    """

    revocations = Revocations.STORE
    is_delegated = True
    authority = Authority.ANY_TEXT
    extra = "introspection"

    def __init__(
        self,
        *,
        url: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        bearer_token: str | None = None,
        audience: str | None = None,
        issuer: str | None = None,
        user_claim: str = "username",
        user_field: str | None = None,
        user: str | None = None,
        timeout: float = 3.0,
        max_parallel: int = 8,
        recheck: bool = True,
        name: str = "introspection",
    ) -> None:
        super().__init__(name=name)
        self._client = IntrospectionClient(
            url,
            client_id=client_id,
            client_secret=client_secret,
            bearer_token=bearer_token,
            timeout=timeout,
            max_parallel=max_parallel,
        )
        self._audience = audience
        self._issuer = issuer
        self._claimed_users = ClaimedUsers(claim=user_claim, field=user_field, function=user)
        self._users_by_key = UsersByKey(package_users)
        self._is_asked_again = recheck

    def recognizes(self, credential: Credential) -> bool:
        """Anything: how a token looks is its server's business. So it stands last in BACKENDS."""
        return True

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """A request for each token, in parallel; and one query for the users."""
        answers = self._client.ask({credential.secret for credential in credentials})
        active = {secret: claims for secret, claims in answers.items() if claims["active"]}
        users = dict(zip(active, self._claimed_users.find(list(active.values())), strict=True))
        return [
            self._verdict(c, answers[c.secret], users.get(c.secret))
            if c.secret in answers
            else unavailable()
            for c in credentials
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """As `authenticate`: as many as `timeout` allows for. Of sockets that came by a ticket, or
        where `recheck` is off, one query for their users.
        """
        return revalidate_presented(grants, self.authenticate, self._users_by_key)

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """The server must be safe to ask, the users be found, and sockets have a bound."""
        return [*self._check_client(), *self._claimed_users.check("171"), *_check_age(site)]

    def _verdict(self, credential: Credential, claims: Claims, user: Any) -> Verdict:
        try:
            expires_at, issued_at = _moment(claims, "exp"), _moment(claims, "iat")
        except (OSError, OverflowError, TypeError, ValueError):
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        if _is_past(expires_at):
            return TokenAuthError(CloseReason.TOKEN_EXPIRED)
        if user is None or not self._is_for_us(claims):
            return TokenAuthError(CloseReason.TOKEN_INVALID)
        scope = claims.get("scope")
        authentication = Authentication(
            backend=self.name,
            token_id=_id(claims.get("jti")) or credential.secret.digest,
            location=credential.location,
            scopes=frozenset(scope.split() if isinstance(scope, str) else ()),
            issued_at=issued_at,
            expires_at=expires_at,
        )
        return admit(user, authentication, handle=credential if self._is_asked_again else None)

    def _is_for_us(self, claims: Claims) -> bool:
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        return (
            _is_bearer_token(claims)
            and self._issuer in (None, claims.get("iss"))
            and (self._audience is None or self._audience in audiences)
        )

    def _check_client(self) -> Iterator[checks.CheckMessage]:
        if problem := self._client.problem():
            yield checks.Error(
                problem,
                hint="Correct the OPTIONS of the introspection backend; until then it refuses all.",
                id="channels_token_auth.E170",
            )


def _is_bearer_token(claims: Claims) -> bool:
    """Whether it is an access token that whoever bears it may use (RFC 6750 §1.2)."""
    token_type, *kinds = (_lower(claims.get(name)) for name in ("token_type", "typ", "token_use"))
    return (
        token_type in ACCESS
        and not REFRESH.intersection(kinds)
        and "cnf" not in claims  # bound to a key that we didn't see (RFC 7800 §3.1)
    )


def _lower(value: Any) -> str | None:
    return None if value is None else str(value).lower()


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment <= datetime.now(UTC)


def _id(jti: Any) -> str | None:
    return jti if isinstance(jti, str) and is_token(jti, MAX_JTI_BYTES) else None


def _moment(claims: Claims, name: str) -> datetime | None:
    """Seconds since the epoch (RFC 7662 §2.2); None where the server doesn't say."""
    seconds = claims.get(name)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _check_age(site: Site) -> Iterator[checks.CheckMessage]:
    if site.max_connection_age is None:
        yield checks.Warning(
            "MAX_CONNECTION_AGE is None: a socket that came by a ticket, about whose token the"
            " server is not asked again, stays till the token expires; and for ever if the server"
            " doesn't say when that is.",
            hint="Set it to the seconds that a revoked token may go on.",
            id="channels_token_auth.W170",
        )
