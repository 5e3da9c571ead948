"""The door of one route: who may come in, and what the others are answered."""

from collections.abc import Sequence
from dataclasses import replace

from ..backends.base import Identity
from ..conf import Configuration
from ..core.close_codes import Code
from ..core.errors import TokenAuthError
from ..core.extraction import Handshake, extract
from ..core.refusal import refuse
from ..verification.authenticator import Authenticator, build_backend
from .asgi import Message, Scope

__all__ = ["Door"]


class Door:
    """One route's policy and backends."""

    def __init__(self, configuration: Configuration) -> None:
        backends = [build_backend(spec) for spec in configuration.backends]
        self._authenticator = Authenticator(backends, timeout=configuration.verify_timeout)
        self._policy = replace(configuration.policy, schemes=self._authenticator.schemes)

    def read(self, scope: Scope) -> Handshake:
        """The opening handshake of a scope."""
        subprotocols = scope.get("subprotocols", ())
        return extract(scope["headers"], scope["query_string"], subprotocols, self._policy)

    async def admit(self, handshake: Handshake) -> Identity | None:
        """Whose socket it is, None for nobody's. Raises TokenAuthError where it is refused."""
        if handshake.problem:
            raise TokenAuthError(handshake.problem)
        if handshake.credential:
            return await self._authenticator.authenticate(handshake.credential)
        if self._policy.anonymous:
            return None
        raise TokenAuthError(Code.TOKEN_MISSING)

    def refusal(
        self, error: TokenAuthError, handshake: Handshake, scope: Scope
    ) -> Sequence[Message]:
        """The answer to a handshake that was not admitted."""
        http = "websocket.http.response" in (scope.get("extensions") or {})
        return refuse(error, handshake, mode=self._policy.refusal, http=http)
