"""Decide, verify and refuse by the settings of one route, which middleware arguments override."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from weakref import WeakMethod

from django.apps import apps
from django.core.signals import setting_changed

from .. import conf
from ..backends.contract import TokenBackend
from ..conf import Configuration
from ..core.asgi_types import Message, Scope
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.decision import Decision, decide
from ..core.handshake.explanation import explain
from ..core.handshake.extraction import Handshake, extract, extract_everywhere
from ..core.handshake.refusal import refuse, sees_codes
from ..core.handshake.scope import read_headers, read_query, read_subprotocols
from ..core.identity import Grant, Identity
from ..core.lifecycle import Rules
from ..core.limits import Limits
from ..limits.addresses import AddressLimits
from ..living import Living
from ..observability.error_log import log_error
from . import injected
from .authenticator import build_authenticator, site_authenticator
from .binding import built_with
from .explanation import SCOPES_MISSING, explain_token

__all__ = ["Route", "backends_of_routes", "build_later", "revocable_backends"]

# The routes with backends of their own. Weak, so that a route ends with its middleware.
_routes: "Living[Route]" = Living()
# The middlewares that were made before Django had loaded its apps: each builds its route later.
_unbuilt: "set[WeakMethod[Callable[[], Route]]]" = set()


def build_later(build: "Callable[[], Route]") -> None:
    """Call a middleware's method once Django has loaded its apps, before a revocation."""
    _unbuilt.add(WeakMethod(build))


def revocable_backends() -> list[TokenBackend]:
    """Return the backends whose tokens open sockets: those of BACKENDS, and of all routes here."""
    _build_waiting()
    site = site_authenticator().backends
    return [*site, *backends_of_routes(besides=site)]


def backends_of_routes(*, besides: Sequence[TokenBackend]) -> list[TokenBackend]:
    """Return the backends that routes of this process have, each once, without those of `besides`.

    Backends are equal by their class and options.
    """
    others = [each for route in _routes for each in route.backends]
    found = {built_with(each): each for each in others}
    for each in besides:
        found.pop(built_with(each), None)
    return list(found.values())


def _build_waiting() -> None:
    for each in list(_unbuilt) if apps.ready else ():
        build = each()
        if build:
            # The first socket raises what is wrong in its settings, where the server logs it.
            with suppress(Exception):
                build()
        # Afterwards: another thread must not find the list empty, and go on without the route.
        _unbuilt.discard(each)


class Route:
    """The policy, the backends and the scopes of one route."""

    def __init__(self, configuration: Configuration) -> None:
        self._authenticator = build_authenticator(configuration)
        if configuration.backends != conf.configuration().backends:
            _routes.add(self)
        self.has_tenants = self._authenticator.has_tenants
        """True if each credential belongs to a tenant."""
        self._scopes = configuration.scopes
        self._is_injected = bool(injected.backends())
        # The schemes come from the backends: a header in a scheme that none of them knows is not a
        # credential (RFC 9110, section 11.6.2), and stays in the handshake.
        self._policy = replace(
            configuration.policy,
            schemes=self._authenticator.schemes,
            # Anonymous clients have no scopes, so a route that requires some never admits them.
            anonymous=configuration.policy.anonymous and not self._scopes,
        )
        self._cache = configuration.cache
        self.rules: Rules = configuration.rules
        self.limits: Limits = configuration.limits
        # Decided once for each route, since nearly all have none of these limits.
        self.limits_sockets = self.limits.connections.is_set
        """True if the sockets of a user or a token are limited."""
        self.limits_frames = self.limits.counts_frames
        """True if the frames of a socket are counted, or the time without one."""
        self.trusted_proxies = configuration.trusted_proxies
        self.address_limits = AddressLimits(self.limits, trusted_proxies=self.trusted_proxies)

    @property
    def backends(self) -> Sequence[TokenBackend]:
        """The backends whose tokens open this route."""
        return self._authenticator.backends

    def read(self, scope: Scope) -> Handshake:
        """Return the opening handshake of a scope."""
        subprotocols = read_subprotocols(scope)
        handshake = extract(read_headers(scope), read_query(scope), subprotocols, self._policy)
        return injected.present(handshake) if self._is_injected else handshake

    def read_everywhere(self, scope: Scope) -> Handshake:
        """Return the handshake of a refused client, without all that may be a token.

        A client that is refused has often put its token where this route does not look.
        """
        everywhere = replace(self._policy, locations=frozenset(Location))
        return extract_everywhere(
            read_headers(scope), read_query(scope), read_subprotocols(scope), everywhere
        )

    def decide(self, handshake: Handshake) -> Decision:
        """Return how to continue: admit, wait, verify or refuse. Calls no backend."""
        return decide(handshake, self._policy)

    async def tenant_of(self, scope: Scope) -> str | None:
        """Return the key of a handshake's tenant; None: the site has none.

        Raises TokenAuthError.
        """
        return await self._authenticator.tenant_of(scope)

    def recall(self, credential: Credential) -> Identity | None:
        """Return the identity of a token that was verified a moment ago; None: call `consult`.

        Raises TokenAuthError, as `verify` does.
        """
        identity = self._authenticator.recall(credential)
        return None if identity is None else self._admit(identity)

    async def verify(self, credential: Credential) -> Identity:
        """Return the identity of a valid token that has this route's scopes.

        Raises TokenAuthError.
        """
        return self._admit(await self._authenticator.authenticate(credential))

    async def consult(self, credential: Credential) -> Identity:
        """Verify a token that `recall` does not know. Raises TokenAuthError, as `verify` does."""
        return self._admit(await self._authenticator.consult(credential))

    def _admit(self, identity: Identity) -> Identity:
        if not self._scopes:  # as on nearly all routes
            return identity
        # After the verification, and for each route: the cache shares verdicts among routes with
        # different scopes.
        verdict = self._with_scopes(identity)
        if isinstance(verdict, TokenAuthError):
            raise verdict
        return verdict

    def _with_scopes(self, verdict: Identity | TokenAuthError) -> Identity | TokenAuthError:
        if isinstance(verdict, Identity) and not self._scopes <= verdict.authentication.scopes:
            return TokenAuthError(CloseReason.FORBIDDEN, detail=SCOPES_MISSING)
        return verdict

    async def revalidate(self, grants: Sequence[Grant]) -> Sequence[Identity | TokenAuthError]:
        """Return a verdict on each grant, with this route's scopes. Raises nothing."""
        verdicts = await self._authenticator.revalidate(grants)
        return [self._with_scopes(verdict) for verdict in verdicts]

    def lane_of(self, backend: str | None) -> Hashable:
        """Return the lane that revalidates the tokens of this backend: one for each service."""
        return self._authenticator.lane_of(backend)

    def explain(
        self, error: TokenAuthError, handshake: Handshake, credential: Credential | None = None
    ) -> Detail | None:
        """Return why a handshake was refused, for the site's developers. Raises nothing.

        `credential`: that of a first message; None: the handshake's own.
        """
        credential = credential or handshake.credential
        if error.detail or credential is None:
            return error.detail or explain(error.code, handshake, self._policy)
        try:
            backends = self._authenticator.backends
            return explain_token(error.code, credential, backends, cache=self._cache)
        except Exception as failure:  # noqa: BLE001 - whatever a site's own backend raises
            log_error("A refusal could not be explained.", failure, about=[credential], often=True)
            return None

    def recognizing_backend(self, credential: Credential) -> str | None:
        """Return the name of the only backend that recognizes it; None if there is none, or
        several. Raises nothing.
        """
        try:
            backends = self._authenticator.backends
            names = [each.name for each in backends if each.recognizes(credential)]
        except Exception as failure:  # noqa: BLE001 - whatever a site's own backend raises
            about = [credential]
            log_error("A backend failed to recognize a token.", failure, about=about, often=True)
            return None
        return names[0] if len(names) == 1 else None

    def sees_codes(self, handshake: Handshake) -> bool:
        """Return whether a refusal accepts the client first, so that it receives the code."""
        return sees_codes(handshake, self._policy.refusal)

    def refusal(
        self, error: TokenAuthError, handshake: Handshake, scope: Scope
    ) -> Sequence[Message]:
        """Return the messages that answer a handshake which was not admitted."""
        # The extension of ASGI for denial responses. Servers without it answer 403, without a body.
        http = "websocket.http.response" in (scope.get("extensions") or {})
        schemes = self._authenticator.schemes
        return refuse(error, handshake, mode=self._policy.refusal, http=http, schemes=schemes)


# A middleware builds its route anew after a change, as it does for a test.
setting_changed.connect(lambda **_: _routes.clear(), weak=False)
