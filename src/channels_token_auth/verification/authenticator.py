"""Turn a credential into an identity, or a refusal: the one interface to the backends of a route.

Asynchronous callers get cached verdicts. The functions for callers that may block (`…_now`) call
the backends directly.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from asgiref.sync import async_to_sync

from ..backends.contract import TokenBackend, Undecided
from ..backends.session import session_backend
from ..clock import clock
from ..conf import Configuration, derived
from ..core.asgi_types import Scope
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, UserInactiveError, Verdict
from ..living import Living
from ..observability.events import CacheHit, emit_soon
from ..tenants import Tenants
from ..tenants.site import build_tenants
from . import injected, test_mode
from .binding import build_backend, build_backends
from .chain import BackendChain, ask_alone
from .denylist import Denylist
from .lanes import LaneId, Onward
from .replaced import ReplacedTokens
from .tenancy import TenantsOfHandshakes, of_tenants
from .tickets import Tickets
from .verdict_cache import VerdictCache, current, private_identity
from .verifier import Verifier, ask_until_settled

__all__ = [
    "Authenticator",
    "all_backends",
    "authenticators",
    "build_authenticator",
    "build_backend",
    "forget_all",
    "site_authenticator",
]


def build_authenticator(configuration: Configuration) -> "Authenticator":
    """Build the authenticator of a route, or of the site."""
    return Authenticator(
        [*injected.backends(), *build_backends(configuration.backends)],
        timeout=configuration.verify_timeout,
        verified_cache_seconds=configuration.verified_cache_seconds,
        cache=configuration.cache,
        denylist_seconds=configuration.denylist_seconds,
        ticket_limit=configuration.limits.tickets,
        tenants=build_tenants(configuration),
    )


authenticators: "Living[Authenticator]" = Living()
"""The authenticators of this process.

Weak, so that the one of a route that was built anew (a changed setting, a test) does not live for
ever.
"""


def forget_all() -> None:
    """Drop the verdicts of all authenticators of this process, after a revocation."""
    for authenticator in authenticators:
        authenticator.forget()


def all_backends() -> Sequence[TokenBackend]:
    """Return the backends of the settings and of all routes that this process has built."""
    return [each for authenticator in authenticators for each in authenticator.backends]


class Authenticator:
    """The backends, the tickets and the denylist of one route.

    `timeout`: seconds that one verification may take. `verified_cache_seconds`: how long a verdict
    is cached. `cache`: the alias of the cache for tickets and the denylist. `denylist_seconds`: how
    long a denial is kept if the token's expiry is unknown. `ticket_limit`: outstanding tickets of
    one token at most; None: any number. `tenants`: the site's, if it has some.
    """

    def __init__(
        self,
        backends: Sequence[TokenBackend],
        *,
        timeout: float,
        verified_cache_seconds: float = 0.0,
        cache: str = "default",
        denylist_seconds: float = 0.0,
        ticket_limit: int | None = None,
        tenants: Tenants | None = None,
    ) -> None:
        sessions = of_tenants(session_backend(backends), tenants)
        backends = [of_tenants(each, tenants) for each in backends]
        self._tenants = TenantsOfHandshakes(tenants) if tenants else None
        self.backends = tuple(backends)
        self.replaced = ReplacedTokens(cache)
        self.tickets = Tickets(backends, cache=cache, limit=ticket_limit, issuers=[sessions])
        self.denylist = Denylist(cache, denylist_seconds=denylist_seconds)
        self.chain = BackendChain(backends, self.tickets, self.denylist, self.replaced, cache=cache)
        self._session_chain = BackendChain(
            [sessions], self.tickets, self.denylist, self.replaced, cache=cache
        )
        self.verified = VerdictCache(verified_cache_seconds)
        self._verifier = Verifier(self.chain, self.verified, timeout)
        self._timeout = timeout
        authenticators.add(self)
        self.schemes = frozenset[str]().union(*(backend.schemes for backend in backends))

    @property
    def has_tenants(self) -> bool:
        """True if each credential belongs to a tenant."""
        return self._tenants is not None

    async def tenant_of(self, scope: Scope) -> str | None:
        """Return the key of a handshake's tenant; None: the site has none.

        Raises TokenAuthError.
        """
        if self._tenants is None:
            return None
        tenant = await self._verifier.ask(self._tenants.begin(scope))
        if isinstance(tenant, TokenAuthError):
            raise tenant
        return str(tenant)

    async def authenticate(self, credential: Credential) -> Identity:
        """Return the identity of a valid token, with a user object for this caller only.

        Raises TokenAuthError only.
        """
        return self.recall(credential) or await self.consult(credential)

    def recall(self, credential: Credential) -> Identity | None:
        """Return the same for a token that was verified a moment ago; None: it has to be verified.

        No caller has to wait for it. Raises TokenAuthError only.
        """
        if self.verified.is_off:
            return None
        verdict = self.verified.get(self.verified.key(credential))
        if verdict is None:
            return None
        if CacheHit.is_wanted():
            emit_soon(CacheHit())
        return private_identity(verdict, presented_at=clock.calendar())

    async def consult(self, credential: Credential) -> Identity:
        """Return the same for a token that `recall` does not know. Raises TokenAuthError only."""
        # Before the verification: revocations of the same second compare with this time.
        presented_at = clock.calendar()
        key = self.verified.key(credential)
        verdict = await self._verifier.verify(key, credential)
        if isinstance(verdict, Undecided):
            verdict = await self._verifier.verify_later(verdict, key, credential)
        return private_identity(verdict, presented_at=presented_at)

    def authenticate_now(self, credential: Credential) -> Identity | TokenAuthError:
        """Return the verdict to a caller that may block: a view or a command.

        No verdict is taken from the cache, and none is put there.
        """
        return current(self._ask_now(credential))

    def authenticate_in_lane(self, credential: Credential) -> Identity | TokenAuthError:
        """Return the same verdict to a thread that ends with its request, as under ASGI.

        Such a thread would open a database connection for one query. The threads of handshakes keep
        theirs, but have no part in a tenant's request or in a test's transaction.
        """
        if self.has_tenants or test_mode.is_on():
            return self.authenticate_now(credential)
        ask = partial(async_to_sync(self._ask), credential)
        return current(cast("Identity | TokenAuthError", ask_until_settled(ask, self._timeout)))

    async def _ask(self, credential: Credential) -> Any:
        step = self.chain.begin(credential)
        return await self._verifier.ask(step) if isinstance(step, Onward) else step

    def identify_now(self, credential: Credential) -> Identity | None:
        """Return the identity of a token that may have expired, or whose user may be inactive.

        For a caller that may block, and that revokes or describes the token instead of admitting
        its user. None: no backend knows the token. Raises TokenAuthError with a transient
        code, such as "unavailable", if the owner cannot be determined now.
        """
        verdict = self._ask_now(credential)
        if isinstance(verdict, Identity):
            return verdict
        if isinstance(verdict, UserInactiveError):
            return verdict.identity
        if verdict.code.is_transient:
            raise verdict
        return None

    def ask_backend(self, backend: TokenBackend, credential: Credential) -> Verdict:
        """Return the verdict of one backend, without the denylist, to a caller that may block."""
        ask = partial(ask_alone, backend, credential)
        return cast("Verdict", ask_until_settled(ask, self._timeout))

    def authenticate_session(self, session_key: str) -> Identity | TokenAuthError:
        """Return the verdict on a request's Django session, even if BACKENDS lists no sessions."""
        credential = Credential(location=Location.COOKIE, secret=Secret(session_key))
        (verdict,) = self._session_chain.authenticate([credential])
        return current(verdict)

    async def revalidate(self, grants: Sequence[Grant]) -> Sequence[Identity | TokenAuthError]:
        """Return a verdict on each grant. Raises nothing: an unavailable store is a verdict."""
        return await self._verifier.revalidate(grants)

    def lane_of(self, backend: str | None) -> LaneId:
        """Return the lane in which the tokens of this backend are revalidated."""
        return self.chain.lane_of(backend)

    def forget(self) -> None:
        """Drop all verdicts, and let no new caller join a verification that is running."""
        # Both, since a running verification may have read the row before its revocation.
        self.verified.clear()
        self._verifier.forget()

    def _ask_now(self, credential: Credential) -> Identity | TokenAuthError:
        def ask() -> Identity | TokenAuthError:
            return self.chain.authenticate([credential])[0]

        return cast("Identity | TokenAuthError", ask_until_settled(ask, self._timeout))


site_authenticator = derived(build_authenticator)
"""Return the authenticator of the settings, for code without a route; rebuilt on a change."""
