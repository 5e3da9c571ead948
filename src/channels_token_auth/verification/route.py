"""The route of one route: who may come in, and what the others are answered."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from ..clock import lifetime
from ..conf import Configuration
from ..core.asgi_types import Message, Scope
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.explanation import explain
from ..core.handshake.extraction import PROTOCOL, Handshake, extract
from ..core.handshake.refusal import refuse, sees_codes
from ..core.handshake.scope import read_headers, read_query, read_subprotocols
from ..core.identity import Grant, Identity
from ..core.lifecycle import Rules
from ..observability.error_log import log_error
from . import injected
from .authenticator import build_authenticator
from .explanation import SCOPES_MISSING, explain_token

__all__ = ["Route"]


class Route:
    """One route's policy, backends and scopes."""

    def __init__(self, configuration: Configuration) -> None:
        self._authenticator = build_authenticator(configuration)
        self._policy = replace(configuration.policy, schemes=self._authenticator.schemes)
        self._scopes = configuration.scopes
        self._cache = configuration.cache
        self.rules: Rules = configuration.rules

    def read(self, scope: Scope) -> Handshake:
        """Return the opening handshake of a scope."""
        subprotocols = read_subprotocols(scope)
        handshake = extract(read_headers(scope), read_query(scope), subprotocols, self._policy)
        return injected.present(handshake)

    def is_anonymous(self, handshake: Handshake) -> bool:
        """Whether it may pass as nobody's. Nobody has scopes."""
        is_open = self._policy.anonymous and not self._scopes
        return is_open and not (handshake.credential or handshake.problem)

    def awaits_first_message(self, handshake: Handshake) -> bool:
        """Whether the client may send its token once it is connected."""
        return (
            not (handshake.credential or handshake.problem)
            and Location.FIRST_MESSAGE in self._policy.locations
            and (PROTOCOL in handshake.subprotocols or not handshake.subprotocols)
        )

    def authenticate(self, handshake: Handshake) -> Awaitable[Identity]:
        """Whose handshake it is. Raises TokenAuthError, at once or in time."""
        if handshake.problem:
            raise TokenAuthError(handshake.problem)
        if handshake.credential is None:
            raise TokenAuthError(CloseReason.TOKEN_MISSING)
        return self.verify(handshake.credential)

    async def verify(self, credential: Credential) -> Identity:
        """Whose credential it is, with time left and this route's scopes. Raises TokenAuthError."""
        identity = await self._authenticator.authenticate(credential)
        left = lifetime(identity)
        if left is not None and left <= 0:
            raise TokenAuthError(CloseReason.TOKEN_EXPIRED)
        verdict = self._with_scopes(identity)
        if isinstance(verdict, TokenAuthError):
            raise verdict
        return verdict

    def _with_scopes(self, verdict: Identity | TokenAuthError) -> Identity | TokenAuthError:
        if isinstance(verdict, Identity) and not self._scopes <= verdict.authentication.scopes:
            return TokenAuthError(CloseReason.FORBIDDEN, detail=SCOPES_MISSING)
        return verdict

    async def revalidate(self, grants: Sequence[Grant]) -> Sequence[Identity | TokenAuthError]:
        """Whether each may stay, with this route's scopes. Raises nothing."""
        verdicts = await self._authenticator.revalidate(grants)
        return [self._with_scopes(verdict) for verdict in verdicts]

    def explain(
        self, error: TokenAuthError, handshake: Handshake, credential: Credential | None = None
    ) -> Detail | None:
        """Return why a handshake was refused, for the site's developers. Raises nothing.

        `credential`: the one of a first message; else the handshake's own.
        """
        credential = credential or handshake.credential
        if error.detail or credential is None:
            return error.detail or explain(error.code, handshake, self._policy)
        try:
            backends = self._authenticator.backends
            return explain_token(error.code, credential, backends, cache=self._cache)
        except Exception as failure:  # noqa: BLE001 - whatever a site's own backend raises
            log_error("A refusal could not be explained.", failure, about=[credential])
            return None

    def sees_codes(self, handshake: Handshake) -> bool:
        """Return whether the client, if it is refused, is accepted first to see the code."""
        return sees_codes(handshake, self._policy.refusal)

    def refusal(
        self, error: TokenAuthError, handshake: Handshake, scope: Scope
    ) -> Sequence[Message]:
        """The answer to a handshake that was not admitted."""
        http = "websocket.http.response" in (scope.get("extensions") or {})
        schemes = self._authenticator.schemes
        return refuse(error, handshake, mode=self._policy.refusal, http=http, schemes=schemes)
