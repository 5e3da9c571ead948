"""Verify the tokens of one identity provider, and find the users that they name."""

from concurrent import futures
from functools import cached_property
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import conf
from ..backends.contract import Undecided
from ..backends.sources.claimed_users import ClaimedUsers
from ..conf.identity_providers import IdentityProvider
from ..core.errors import TokenAuthError
from .rejection import rejected
from .subjects import Claims
from .tokens import TokenKind

__all__ = ["Provider"]

VERIFIER = "channels_token_auth.backends.jwt.verifier.JWTVerifier"
OPTIONS = "channels_token_auth.backends.jwt.options.JWTOptions"

GENERIC = ("", "jwt")
"""Values of the header `typ` that are allowed for any kind of JWT."""


class Provider:
    """An entry of IDENTITY_PROVIDERS, with the verifiers of its tokens."""

    def __init__(self, settings: IdentityProvider) -> None:
        self.settings = settings
        self._verifiers: dict[TokenKind, Any] = {}

    def verify(self, raw: str, kind: TokenKind) -> Claims:
        """Verify signature, issuer, audience and type of a token, and return its claims.

        Raises TokenAuthError: with the code "unavailable" if the keys cannot be fetched. It may
        wait for a key server, at most `VERIFY_TIMEOUT`.
        """
        verifier = self._verifier(kind)
        verdict = verifier.verify(raw)
        if isinstance(verdict, Undecided):
            # The keys are being fetched in another thread.
            futures.wait([verdict.settled], conf.configuration().verify_timeout)
            verdict = verifier.verify(raw)
        if isinstance(verdict, TokenAuthError):
            raise verdict
        # Without REQUIRE_TYP, a provider may omit the type; another kind's is still refused.
        if verdict.typ not in (kind.typ, *(GENERIC if kind.may_omit_typ else ())):
            raise rejected("wrong_type", f"The header's 'typ' is not {kind.typ!r}.")
        claims: Claims = verdict.claims
        if not isinstance(claims["jti"], str) or not claims["jti"]:
            raise rejected("malformed_claim", "The claim 'jti' must be a text.")
        return claims

    def find_user(self, claims: Claims) -> Any:
        """Return the user that the claims name; None if this site has no such user.

        Raises TokenAuthError ("unavailable") if the users cannot be looked up at the moment.
        """
        (user,) = self.users.find([claims])
        if not isinstance(user, TokenAuthError):
            return user
        if user.code.is_transient:
            raise user
        return None

    @cached_property
    def users(self) -> ClaimedUsers:
        """Return the object that finds this provider's users by claims."""
        settings = self.settings
        return ClaimedUsers(
            claim=settings.user_claim, field=settings.user_field, function=settings.user
        )

    def options(self, kind: TokenKind) -> Any:
        """Return the JWT backend's options for this kind of token. Raises ImproperlyConfigured."""
        settings = self.settings
        return self._build(
            OPTIONS,
            algorithms=settings.algorithms,
            keys=settings.keys,
            jwks_url=settings.jwks_url,
            audience=list(settings.audience),
            issuer=settings.issuer,
            typ=kind.typ if settings.require_typ else None,
            required_claims=kind.required,
            require_exp=False,  # `required_claims` has "exp" for the kinds that need it
        )

    def _verifier(self, kind: TokenKind) -> Any:
        if kind not in self._verifiers:
            self._verifiers[kind] = self._build(VERIFIER, options=self.options(kind))
        return self._verifiers[kind]

    def _build(self, path: str, **arguments: Any) -> Any:
        # PyJWT is optional, so that it is imported only where a site has providers.
        try:
            return import_string(path)(**arguments)
        except (ImportError, TypeError, ValueError) as error:
            raise ImproperlyConfigured(
                f"The identity provider {self.settings.issuer!r} cannot be used: {error}"
            ) from None
