"""Run the verifications of one route: in lanes, one for each token, within a deadline.

The chain of backends blocks, and an event loop must not. So a verification begins in the event
loop, continues in the threads of `lanes`, and returns its answer to the loop. Sockets that present
the same token at the same time share one verification (`single_flight`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent import futures
from functools import partial
from typing import Any, cast

from asgiref.sync import sync_to_async

from ..backends.contract import Undecided
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from ..core.identity import FinalVerdict, Grant, unavailable
from ..loop_local import LoopLocal
from ..observability.events import VerificationTimedOut, emit
from . import test_mode
from .chain import BackendChain
from .lanes import Errand, LaneId, Onward, lanes
from .single_flight import Call, SingleFlight
from .verdict_cache import VerdictCache

__all__ = ["Verifier", "ask_until_settled", "settle"]

logger = logging.getLogger("channels_token_auth")


class Verifier:
    """The running verifications of one chain. `timeout`: seconds that each may take.

    Verdicts are stored in the cache `verified`, which the caller reads before.
    """

    def __init__(self, chain: BackendChain, verified: VerdictCache, timeout: float) -> None:
        self._chain = chain
        self._verified = verified
        self._timeout = timeout
        self._single_flights: LoopLocal[SingleFlight] = LoopLocal()

    def verify(self, key: Hashable, credential: Credential) -> Awaitable[FinalVerdict]:
        """Return the verdict, of a running verification with this key if there is one.

        If it is an `Undecided`, call `verify_later`.
        """
        # The future itself: a coroutine around it would be one more for each handshake.
        if test_mode.is_on():
            return self._verify_in_test(credential)
        single_flight = self._single_flights.get() or self._begin_loop()
        attempt = _Attempt(self._chain, self._verified, single_flight, key, credential)
        return single_flight.join(key, attempt.start)

    async def verify_later(
        self, undecided: Undecided, key: Hashable, credential: Credential
    ) -> FinalVerdict:
        """Return the verdict once the backend has fetched what it needs, such as keys.

        No thread is occupied meanwhile.
        """
        try:
            async with asyncio.timeout(self._timeout):
                # Shield it, since other callers may wait for the same future.
                await asyncio.shield(asyncio.wrap_future(undecided.settled))
                return await self.verify(key, credential)
        except TimeoutError:
            return undecided

    async def revalidate(self, grants: Sequence[Grant]) -> Sequence[FinalVerdict]:
        """Return the verdict on each grant. All lanes work in parallel."""
        if test_mode.is_on():
            return await self._ask_in_test(self._chain.revalidate, grants)
        verdicts: dict[int, FinalVerdict] = {}
        by_lane = self._chain.by_lane(grants)
        asked = (self._sweep(lane, [grants[i] for i in by_lane[lane]]) for lane in by_lane)
        # In parallel, so that a lane that does not answer delays no other.
        for places, answers in zip(by_lane.values(), await asyncio.gather(*asked), strict=True):
            verdicts |= zip(places, answers, strict=True)
        return [verdicts[i] for i in range(len(grants))]

    def forget(self) -> None:
        """Let no new caller join a running verification: its answer may be outdated."""
        for _, single_flight in self._single_flights:
            single_flight.forget()

    async def _verify_in_test(self, credential: Credential) -> FinalVerdict:
        (verdict,) = await self._ask_in_test(self._chain.authenticate, [credential])
        return verdict

    async def ask(self, step: Onward) -> Any:
        """Return the answer to one step; "unavailable" if that takes too long."""
        if test_mode.is_on():
            (found,) = await self._ask_in_test(step.work, [step.item])
            return found
        answer = asyncio.get_running_loop().create_future()
        errand = lanes.ask(step, partial(settle, answer), is_wanted=lambda: not answer.done())
        try:
            async with asyncio.timeout(self._timeout):
                return await answer
        except TimeoutError:
            return self._give_up([errand])

    async def _sweep(self, lane: LaneId, grants: Sequence[Grant]) -> Sequence[FinalVerdict]:
        verdicts = await self.ask(self._chain.begin_sweep(lane, grants))
        if isinstance(verdicts, TokenAuthError):  # the lane failed as a whole
            return [verdicts] * len(grants)
        return cast("Sequence[FinalVerdict]", verdicts)

    async def _ask_in_test(
        self, question: Callable[[Sequence[Any]], Any], asked: Sequence[Any]
    ) -> Sequence[FinalVerdict]:
        """Call the backends in the thread that has the transaction of a test.

        No verdict is cached, since the next test's database is another one.
        """
        try:
            async with asyncio.timeout(self._timeout):
                ask = sync_to_async(question, thread_sensitive=True)
                return cast("Sequence[FinalVerdict]", await ask(asked))
        except TimeoutError:
            return [self._give_up([])] * len(asked)

    def _begin_loop(self) -> SingleFlight:
        single_flight = SingleFlight(self._timeout, self._give_up_calls)
        self._single_flights.set(single_flight)
        return single_flight

    def _give_up_calls(self, late: Sequence[Call]) -> TokenAuthError:
        return self._give_up([call.errand for call in late])

    def _give_up(self, errands: Sequence[Errand]) -> TokenAuthError:
        logger.error("A token took over %s s to verify.", self._timeout)
        emit(VerificationTimedOut(count=max(1, len(errands))))  # without a lane in tests
        for errand in errands:
            # Half of it, since the batch began later than this caller began to wait.
            lanes.relieve(errand, after=self._timeout / 2)
        return unavailable()


class _Attempt:
    """One verification, from its first step until its verdict is cached and returned.

    Two closures that call each other would do the same, but they would be a reference cycle, which
    keeps the token and its user in memory until the garbage collector runs.
    """

    __slots__ = ("_chain", "_credential", "_generation", "_key", "_single_flight", "_verified")

    def __init__(
        self,
        chain: BackendChain,
        verified: VerdictCache,
        single_flight: SingleFlight,
        key: Hashable,
        credential: Credential,
    ) -> None:
        self._chain = chain
        self._verified = verified
        self._single_flight = single_flight
        self._key = key
        self._credential = credential
        # That of the beginning: a revocation during the verification makes `put` drop its verdict.
        self._generation = verified.generation

    def start(self, call: Call) -> None:
        """Begin the first step, or use its result if it needs no lane."""
        step = self._chain.begin(self._credential)
        if isinstance(step, Onward):
            finish = partial(self._finish, call)
            call.errand = lanes.ask(step, finish, is_wanted=call.is_wanted)
        else:
            self._finish(call, step)

    def _finish(self, call: Call, verdict: FinalVerdict | None) -> None:
        if verdict is None and call.is_wanted():
            self.start(call)  # a caller joined at the moment when the lane dropped it
            return
        verdict = verdict or unavailable()
        self._verified.put(self._key, verdict, generation=self._generation)
        self._single_flight.finish(self._key, call, verdict)


def ask_until_settled(ask: Callable[[], Any], timeout: float) -> Any:
    """Return the verdict of a backend to a caller that may block.

    If the backend cannot decide yet, wait until it can, at most `timeout` seconds, and ask again.
    """
    verdict = ask()
    if isinstance(verdict, Undecided):
        futures.wait([verdict.settled], timeout)
        verdict = ask()
    return verdict


def settle(answer: "asyncio.Future[Any]", value: Any) -> None:
    """Set the result of a future, unless its caller has stopped waiting."""
    if not answer.done():
        answer.set_result(value)
