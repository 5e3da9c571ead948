"""From a credential to an identity: the backends in order, in batches, within a deadline."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent import futures
from functools import partial
from typing import Any, cast
from weakref import WeakSet

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..backends.contract import Authority, TokenBackend, Undecided
from ..backends.session import SessionBackend
from ..backends.sources.users import private_copy
from ..clock import clock
from ..conf import BackendSpec, Configuration, derived
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, UserInactiveError, Verdict, unavailable
from ..observability.error_log import log_error
from ..observability.events import CacheHit, emit
from . import injected, test_mode
from .binding import note_options
from .chain import BackendChain, ask_alone
from .denylist import Denylist
from .lanes import Errand, LaneId, Onward, lanes
from .replaced import ReplacedTokens
from .scoped import ScopedBackend
from .single_flight import Flight, SingleFlight
from .tickets import Tickets
from .verdict_cache import VerdictCache

__all__ = [
    "Authenticator",
    "build_authenticator",
    "build_backend",
    "forget_all",
    "site_authenticator",
]

logger = logging.getLogger("channels_token_auth")


def build_backend(spec: BackendSpec) -> TokenBackend:
    """Build the backend of an entry of BACKENDS. Raises ImproperlyConfigured, naming the entry."""
    try:
        backend = import_string(spec.path)(**spec.options)
        note_options(backend, spec.options)
        if spec.scopes is not None:
            backend = ScopedBackend(backend, import_string(spec.scopes))
        if spec.delegated is not None:
            backend.is_delegated = spec.delegated
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        entry = f'CHANNELS_TOKEN_AUTH["BACKENDS"][{spec.place}]'
        sentence = f"{entry}: the token backend {spec.path!r} cannot be used: {error}"
        raise ImproperlyConfigured(sentence) from error
    return cast("TokenBackend", backend)


def build_authenticator(configuration: Configuration) -> "Authenticator":
    """The authenticator of a route, or of the site."""
    return Authenticator(
        [*injected.backends(), *map(build_backend, configuration.backends)],
        timeout=configuration.verify_timeout,
        verified_cache_seconds=configuration.verified_cache_seconds,
        cache=configuration.cache,
        denylist_seconds=configuration.denylist_seconds,
        ticket_limit=configuration.limits.tickets,
    )


_all: "WeakSet[Authenticator]" = WeakSet()


def forget_all() -> None:
    """Something has ended: have no authenticator of this process remember what was before."""
    for authenticator in list(_all):
        authenticator.forget()


class Authenticator:
    """Asks the backends of one route, and redeems tickets.

    `timeout`: seconds one verification may take. `verified_cache_seconds`: how long a verdict
    stays good. `cache`: the alias of the cache for tickets and the denylist. `denylist_seconds`:
    how long the denylist remembers a token whose expiry nobody knows. `ticket_limit`: tickets of
    one token that may be outstanding; None: any number.
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
    ) -> None:
        self.backends = tuple(backends)
        sessions = _session_backend(backends)
        self.replaced = ReplacedTokens(cache)
        self.tickets = Tickets(backends, cache=cache, limit=ticket_limit, issuers=[sessions])
        self.denylist = Denylist(cache, denylist_seconds=denylist_seconds)
        self.chain = BackendChain(backends, self.tickets, self.denylist, self.replaced, cache=cache)
        self._session_chain = BackendChain(
            [sessions], self.tickets, self.denylist, self.replaced, cache=cache
        )
        self.verified = VerdictCache(verified_cache_seconds)
        self._timeout = timeout
        _all.add(self)
        self._flights: dict[asyncio.AbstractEventLoop, SingleFlight] = {}
        self.schemes = frozenset[str]().union(*(backend.schemes for backend in backends))

    async def authenticate(self, credential: Credential) -> Identity:
        """Return the identity of a valid token, with a user of the caller's own.

        Raises TokenAuthError only.
        """
        presented_at = clock.calendar()
        key = self.verified.key(credential)
        verdict = self.verified.get(key)
        if verdict is None:
            verdict = await self._verify(key, credential)
        elif CacheHit.is_wanted():
            emit(CacheHit())
        if isinstance(verdict, Undecided):
            verdict = await self._verify_when_settled(verdict, key, credential)
        verdict = _current(verdict)
        if isinstance(verdict, TokenAuthError):
            # A copy: others get the same verdict, and an exception keeps each frame it passed.
            raise TokenAuthError(verdict.code, verdict.retry_after, verdict.detail)
        # Field by field: `replace` takes three times as long, and each handshake pays it.
        user, of_it = _copy_of(verdict.user), verdict.authentication
        return Identity(
            user=user,
            authentication=of_it,
            handle=verdict.handle,
            verified_at=presented_at,
        )

    def authenticate_now(self, credential: Credential) -> Identity | TokenAuthError:
        """Return the verdict to a caller that may block: a view or a command. No verdict is taken
        from the cache, and none is put there.
        """
        return _current(self._ask_now(credential))

    def identify_now(self, credential: Credential) -> Identity | None:
        """Return the identity of a token that may have expired, or whose user may be inactive.

        For a caller that may block, and that revokes or describes the token instead of admitting
        its user. None: no backend knows the token. Raises TokenAuthError with a transient
        code, such as "unavailable": then it is open whose token it is.
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
        """Return the verdict of one backend to a caller that may block, denied or not."""
        verdict = ask_alone(backend, credential)
        if isinstance(verdict, Undecided):
            futures.wait([verdict.settled], self._timeout)
            verdict = ask_alone(backend, credential)
        return verdict

    def _ask_now(self, credential: Credential) -> Identity | TokenAuthError:
        (verdict,) = self.chain.authenticate([credential])
        if isinstance(verdict, Undecided):
            futures.wait([verdict.settled], self._timeout)
            (verdict,) = self.chain.authenticate([credential])
        return verdict

    def authenticate_session(self, session_key: str) -> Identity | TokenAuthError:
        """Return the verdict on Django's session of a request, whatever BACKENDS lists."""
        credential = Credential(location=Location.COOKIE, secret=Secret(session_key))
        (verdict,) = self._session_chain.authenticate([credential])
        return verdict

    async def revalidate(self, grants: Sequence[Grant]) -> Sequence[Identity | TokenAuthError]:
        """Return whether each still stands. Raises nothing: an unavailable store is a verdict."""
        if test_mode.is_on():
            return await self._ask_in_test(self.chain.revalidate, grants)
        verdicts: dict[int, Identity | TokenAuthError] = {}
        by_lane = self.chain.by_lane(grants)
        asked = (self._sweep(lane, [grants[i] for i in by_lane[lane]]) for lane in by_lane)
        # At once: a lane that does not answer must not delay the others.
        for places, answers in zip(by_lane.values(), await asyncio.gather(*asked), strict=True):
            verdicts |= zip(places, answers, strict=True)
        return [verdicts[i] for i in range(len(grants))]

    def lane_of(self, backend: str | None) -> LaneId:
        """Return the lane in which the tokens of this backend are revalidated."""
        return self.chain.lane_of(backend)

    async def _sweep(
        self, lane: LaneId, grants: Sequence[Grant]
    ) -> Sequence[Identity | TokenAuthError]:
        answer = asyncio.get_running_loop().create_future()
        step = self.chain.begin_sweep(lane, grants)
        errand = lanes.ask(step, partial(_settle, answer), is_wanted=lambda: not answer.done())
        try:
            async with asyncio.timeout(self._timeout):
                verdicts = await answer
        except TimeoutError:
            verdicts = self._give_up([errand])
        if isinstance(verdicts, TokenAuthError):  # the lane could not do it at all
            return [verdicts] * len(grants)
        return cast("Sequence[Identity | TokenAuthError]", verdicts)

    def forget(self) -> None:
        """Remember no verdict, and let nobody wait for one that is under way: who comes now asks
        anew.
        """
        self.verified.clear()
        for flights in list(self._flights.values()):
            flights.forget()

    async def _verify(self, key: Hashable, credential: Credential) -> Identity | TokenAuthError:
        if test_mode.is_on():
            return (await self._ask_in_test(self.chain.authenticate, [credential]))[0]
        flights = self._flights_of_loop()
        generation = self.verified.generation

        def land(flight: Flight, verdict: Identity | TokenAuthError | None) -> None:
            if verdict is None and flight.is_wanted():
                start(flight)  # dropped, and joined at the same moment
                return
            verdict = verdict or unavailable()
            self.verified.put(key, verdict, generation=generation)
            flights.land(key, flight, verdict)

        def start(flight: Flight) -> None:
            step = self.chain.begin(credential)
            if isinstance(step, Onward):
                is_wanted = flight.is_wanted
                flight.errand = lanes.ask(step, partial(land, flight), is_wanted=is_wanted)
            else:
                land(flight, step)

        verdict: Identity | TokenAuthError = await flights.join(key, start)
        return verdict

    async def _verify_when_settled(
        self, undecided: Undecided, key: Hashable, credential: Credential
    ) -> Identity | TokenAuthError:
        """Ask once more when the backend has what it needs, in no thread's way."""
        try:
            async with asyncio.timeout(self._timeout):
                # Shielded: others may wait for the same.
                await asyncio.shield(asyncio.wrap_future(undecided.settled))
                return await self._verify(key, credential)
        except TimeoutError:
            return undecided

    async def _ask_in_test(
        self, question: Callable[[Sequence[Any]], Any], asked: Sequence[Any]
    ) -> Sequence[Identity | TokenAuthError]:
        """Under a test runner the thread that holds the test's transaction has to ask; and nothing
        is remembered, since the next test's database is another one.
        """
        try:
            async with asyncio.timeout(self._timeout):
                ask = sync_to_async(question, thread_sensitive=True)
                return cast("Sequence[Identity | TokenAuthError]", await ask(asked))
        except TimeoutError:
            return [self._give_up([])] * len(asked)

    def _flights_of_loop(self) -> SingleFlight:
        loop = asyncio.get_running_loop()
        flights = self._flights.get(loop)
        if flights is None:
            self._flights = {loop: f for loop, f in self._flights.items() if not loop.is_closed()}
            flights = self._flights[loop] = SingleFlight(self._timeout, self._give_up_flights)
        return flights

    def _give_up_flights(self, late: Sequence[Flight]) -> TokenAuthError:
        return self._give_up([flight.errand for flight in late])

    def _give_up(self, errands: Iterable[Errand]) -> TokenAuthError:
        logger.error("A token took over %s s to verify.", self._timeout)
        for errand in errands:
            # Half of it, since the batch began later than the one who waits.
            lanes.relieve(errand, after=self._timeout / 2)
        return unavailable()


def _current(verdict: Identity | TokenAuthError) -> Identity | TokenAuthError:
    """Return the verdict of now: a token may have expired in the cache, or unseen by its backend.

    The one place that judges the expiry of a token that is presented.
    """
    if isinstance(verdict, Identity) and verdict.authentication.is_expired(clock.calendar()):
        return TokenAuthError(CloseReason.TOKEN_EXPIRED)
    return verdict


def _session_backend(backends: Sequence[TokenBackend]) -> TokenBackend:
    """Return the session backend that is listed, with its options and scopes; else a plain one.

    The endpoints know a session even if no route of the site accepts one.
    """
    listed = (each for each in backends if each.authority is Authority.SESSION)
    return next(listed, None) or SessionBackend()


def _copy_of(user: Any) -> Any:
    try:
        return private_copy(user)
    except Exception as error:  # noqa: BLE001 - whatever a site's user class raises
        log_error("A user could not be copied: answered unavailable.", error)
        raise unavailable() from None


def _settle(answer: "asyncio.Future[Any]", verdicts: Any) -> None:
    if not answer.done():  # nobody waits any more
        answer.set_result(verdicts)


site_authenticator = derived(build_authenticator)
"""Return the authenticator of the settings, for code that has no route. A new one per change."""
