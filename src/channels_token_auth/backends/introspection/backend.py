"""Accept tokens of another authorization server, which is asked about each of them (RFC 7662).

This module decides by the server's answers; `client` sends the requests. The server announces no
revocations, so each sweep asks it again, with the token that the socket keeps.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from django.core import checks

from ...core.close_codes import CloseReason
from ...core.credentials import Credential
from ...core.errors import Detail, TokenAuthError
from ...core.identity import Grant, Verdict, unavailable
from ..base import BaseTokenBackend
from ..contract import Authority, Revocations
from ..site import Site
from ..sources.claimed_users import ClaimedUsers
from ..sources.claims import ClaimRules, Claims
from ..sources.managers import package_users
from ..sources.revalidation import revalidate_presented
from ..sources.users import admit
from ..sources.users_by_key import UsersByKey
from .client import IntrospectionClient, SiteCredentials

__all__ = ["IntrospectionBackend"]

ACCESS = {None, "bearer", "access_token"}
"""Accepted values of `token_type`. A DPoP token needs its proof (RFC 9449 §7.1)."""

REFRESH = {"refresh", "refresh_token"}
"""Values of `typ` or `token_use` by which some servers mark refresh tokens."""

INACTIVE = Detail(
    slug="inactive_token",
    remedy="The authorization server calls the token inactive: it is unknown there, expired,"
    " revoked, or issued for another resource server.",
)
WRONG_TYPE = Detail(
    slug="wrong_type",
    remedy="To the authorization server, this is no bearer access token: the client may have sent a"
    " refresh token, or the token needs a proof (DPoP).",
)
WRONG_ISSUER = Detail(
    slug="wrong_issuer",
    remedy="The answer's 'iss' is not the backend's 'issuer', which has to be equal to the letter.",
)
WRONG_AUDIENCE = Detail(
    slug="wrong_audience",
    remedy="The answer's 'aud' does not name this site: have the server add it, or correct the"
    " backend's 'audience'.",
)
NO_ANSWER = Detail(
    slug="introspection_unavailable",
    remedy="The introspection endpoint gave no answer: see the error in the log.",
)


class IntrospectionBackend(BaseTokenBackend):
    """Accepts the tokens that the server at `url` reports as active.

    `client_id` and `client_secret`, or `bearer_token`: this site's own credentials there.
    `audience`, `issuer`: what `aud` and `iss` must be. `user_claim`, `user_field`: which claim
    names the user, and the field that holds it (None: the one users log in with); or `user`: the
    dotted path of a function from the claims to a user or None. `allow_machines`: accept tokens of
    clients themselves. `labels`: claims to revoke by, besides `sid` and the client's id.
    `timeout`: seconds for a batch. `revalidate`: whether sockets keep their tokens, so that the
    server is asked about them again.
    """

    revocations = Revocations.STORE
    is_delegated = True
    has_labels = True
    authority = Authority.ANY_TEXT

    def __init__(
        self,
        *,
        url: str,
        client_id: str | None = None,
        client_secret: str | None = None,
        bearer_token: str | None = None,
        audience: str | None = None,
        issuer: str | None = None,
        user_claim: str = "sub",
        user_field: str | None = "pk",
        user: str | None = None,
        allow_machines: bool = False,
        labels: Sequence[str] = (),
        timeout: float = 3.0,
        max_parallel: int = 8,
        revalidate: bool = True,
        name: str = "introspection",
    ) -> None:
        super().__init__(name=name)
        own = SiteCredentials(client_id, client_secret, bearer_token)
        self._client = IntrospectionClient(url, own, timeout=timeout, max_parallel=max_parallel)
        self._audience = audience
        self._issuer = issuer
        self.claimed_users = ClaimedUsers(claim=user_claim, field=user_field, function=user)
        self._users_by_key = UsersByKey(package_users)
        self._rules = ClaimRules(
            backend=self.name,
            is_dated=False,  # "active" means that it is valid now (RFC 7662, section 2.2)
            labels=_read_labels(labels),
            allows_machines=allow_machines,
        )
        self._keeps_tokens = revalidate

    def recognizes(self, credential: Credential) -> bool:
        """Recognize any text: only the server knows the format of its tokens. So list this backend
        last in BACKENDS.
        """
        # The server decides: RFC 7662 makes tokens opaque to everybody else.
        return True

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Send a request for each token, in parallel, and find the users with one query."""
        # A set: equal tokens of several sockets need one request.
        answers = self._client.ask({credential.secret for credential in credentials})
        # Users of active tokens only: an inactive answer has no claims (RFC 7662, section 2.2).
        active = {secret: claims for secret, claims in answers.items() if claims["active"]}
        users = dict(zip(active, self.claimed_users.find(list(active.values())), strict=True))
        return [
            self._verdict(c, answers[c.secret], users.get(c.secret))
            if c.secret in answers
            else unavailable(NO_ANSWER)
            for c in credentials
        ]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Query the server again, for as many tokens as `timeout` allows. If the option
        `revalidate` is off, only check the users, with one query.
        """
        return revalidate_presented(grants, self.authenticate, self._users_by_key)

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """Report a URL that is not safe to use, and tokens for other services that are accepted."""
        return [
            *self._check_client(),
            *self._check_audience(),
            *self.claimed_users.check("E171", "W171"),
            *self._check_age(site),
        ]

    @property
    def label_names(self) -> Collection[str]:
        """Return the names of the labels that its tokens may have."""
        return self._rules.label_names

    @property
    def issuers(self) -> Sequence[str]:
        """Return the only issuer whose tokens are accepted; empty: of any."""
        return [self._issuer] if self._issuer else []

    def _verdict(self, credential: Credential, claims: Claims, user: Any) -> Verdict:
        if not claims["active"]:
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=INACTIVE)
        authentication = self._rules.read(claims, credential)
        if isinstance(authentication, TokenAuthError):
            return authentication
        # After the times: an expired token is "expired", whatever else is wrong with it, so that
        # its client fetches another one.
        if detail := self._mistake(claims):
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=detail)
        if isinstance(user, TokenAuthError):
            return user
        # The socket keeps the token, because the server can be asked only with the token itself.
        return admit(user, authentication, handle=credential if self._keeps_tokens else None)

    def _mistake(self, claims: Claims) -> Detail | None:
        """Return why an active token is not accepted by this site."""
        if not _is_bearer_token(claims):
            return WRONG_TYPE
        if self._issuer not in (None, claims.get("iss")):
            return WRONG_ISSUER.expecting("The option 'issuer'", self._issuer)
        # A text or a list of texts (RFC 7662 §2.2, RFC 7519 §4.1.3).
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if self._audience is None or self._audience in audiences:
            return None
        return WRONG_AUDIENCE.expecting("The option 'audience'", self._audience)

    def _check_client(self) -> Iterator[checks.CheckMessage]:
        if problem := self._client.problem():
            yield checks.Error(
                problem,
                hint="Correct the OPTIONS of the introspection backend; until then it refuses all.",
                id="channels_token_auth.E170",
            )

    def _check_audience(self) -> Iterator[checks.CheckMessage]:
        if self._audience is None:
            yield checks.Warning(
                "The introspection backend has no 'audience': tokens that were issued for other"
                " services open sockets here.",
                hint="Set 'audience' to the value that names this site in the 'aud' of the server's"
                " answers.",
                id="channels_token_auth.W172",
            )

    def _check_age(self, site: Site) -> Iterator[checks.CheckMessage]:
        if not self._keeps_tokens and site.max_connection_age is None:
            yield checks.Warning(
                "MAX_CONNECTION_AGE is None, and the option 'revalidate' is off: the server is not"
                " asked about a socket's token again, so that it stays open until the token"
                " expires; and for ever if the server's answers have no 'exp'.",
                hint="Set it to the seconds that a revoked token may be used at most.",
                id="channels_token_auth.W170",
            )


def _is_bearer_token(claims: Claims) -> bool:
    """Return True for a bearer token (RFC 6750 §1.2), which is not a refresh token."""
    # `token_type` is optional (RFC 7662 §2.2), and no standard claim marks refresh tokens.
    token_type, *kinds = (_lower(claims.get(name)) for name in ("token_type", "typ", "token_use"))
    return token_type in ACCESS and not REFRESH.intersection(kinds)


def _lower(value: Any) -> str | None:
    return None if value is None else str(value).lower()


def _read_labels(labels: Sequence[str]) -> Sequence[str]:
    # A text is a sequence as well: each of its letters would be taken for a claim.
    if isinstance(labels, str):
        raise TypeError("'labels' must be a list of claims.")
    return tuple(labels)
