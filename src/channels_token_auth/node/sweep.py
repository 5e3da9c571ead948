"""Revalidate the token of every socket at an interval, which bounds the delay of a revocation.

Messages between nodes may be lost; a sweep finds the revocations that they did not report. If a
token store does not answer, its sockets stay open and it is asked again soon. The setting
`SWEEP_GRACE` bounds that time.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

from ..core.close_codes import CloseReason
from ..core.identity import Grant, Identity
from ..observability.error_log import log_error
from ..observability.events import SweepFailed, SweepFinished, emit
from ..tasks import background
from ..verification.route import Route
from .bulk_close import BulkClose
from .member import Member
from .registry import Registry
from .store_outages import StoreOutages

__all__ = ["BATCH", "Sweep"]

BATCH = 200
"""Tokens in one call of a backend. Between two calls, the event loop handles frames. With a
thousand, so many objects are alive at once that Python's garbage collector promotes them to its
oldest generation and scans all objects: with 10,000 sockets that takes longer than the sweep
(measured)."""

FIRST_PAUSE = 1.0
"""Seconds until a store that did not answer is asked again; doubled after each failure."""

Token = tuple[str | None, Any, str, str | None, str]
ByRoute = dict[Route, list[Member]]


class Sweep:
    """The sweep of one node. `before`: runs at the start of each sweep, for announcements.

    Between two sweeps there is a timer and no task. Without open sockets there is no timer either,
    unless `before` is set.
    """

    def __init__(
        self,
        name: str,
        registry: Registry,
        bulk_close: BulkClose,
        *,
        before: Callable[[], Awaitable[None]] | None,
        interval: float,
        grace: float | None,
    ) -> None:
        self._name = name
        self._registry = registry
        self._bulk_close = bulk_close
        self._before = before
        self._interval = interval
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._background = background()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Future[None] | None = None
        self._outages = StoreOutages(grace)
        self._closed = 0
        self._complete_at = time.time()
        """The beginning of the last sweep without a failure; at first, that of the node."""
        self.failures = 0
        """The number of failed sweeps since the last one that checked every token."""

    @property
    def is_armed(self) -> bool:
        """True while the timer for the next sweep is set."""
        return self._timer is not None

    @property
    def is_running(self) -> bool:
        """True during a sweep."""
        return self._task is not None

    def arm(self) -> None:
        """Set the timer for the next sweep, unless it is set or a sweep runs."""
        # The attributes and not the properties: each admission calls this.
        if self._timer is None and self._task is None:
            # Random by a tenth, so that nodes that were started together do not query together.
            pause = self.pause() * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
            self._timer = self._loop.call_later(pause, self._begin)

    def hurry(self) -> None:
        """Sweep now, because messages may have been lost."""
        if self._timer:
            self._timer.cancel()
        if not self.is_running:
            self._begin()

    def _begin(self) -> None:
        self._timer = None
        # Without sockets there is nothing to verify. The next socket sets the timer again.
        if self._before or self._registry:
            self._task = self._background.start(self._run())
        else:
            self.failures = 0  # no token is left that the failed sweeps have not checked
            self._outages.end()

    async def _run(self) -> None:
        try:
            if self._before:
                await self._before()
            await self.once()
        except Exception as error:  # noqa: BLE001 - a bug: sweeps must go on
            log_error("A sweep failed, and will be repeated.", error)
            self.failures += 1
            emit(SweepFailed(node=self._name))
        self._task = None
        self.arm()

    async def once(self) -> None:
        """Revalidate every token, and close the sockets of those that are not valid any more."""
        began_at, tokens, self._closed = time.monotonic(), 0, 0
        # Before the queries: the next sweep may find a token that is revoked during this one.
        calendar = time.time()
        self._outages.begin()
        asked = [self._sweep(by_route) for by_route in self._by_lane().values()]
        # In parallel: one service that does not answer must not delay the others past the interval.
        for count in await asyncio.gather(*asked, return_exceptions=True):
            # Only now, when all lanes have finished: the others have closed their sockets.
            if isinstance(count, BaseException):
                raise count
            tokens += count
        unavailable = self._outages.finish()
        # One backend without an answer makes the sweep incomplete: the next one comes sooner.
        self.failures = self.failures + 1 if unavailable else 0
        if not unavailable:
            self._complete_at = calendar
        if SweepFinished.is_wanted():
            emit(
                SweepFinished(
                    node=self._name,
                    tokens=tokens,
                    closed=self._closed,
                    seconds=time.monotonic() - began_at,
                    unavailable=unavailable,
                )
            )

    def _by_lane(self) -> Mapping[Hashable, ByRoute]:
        """Group the sockets by the service that verifies their tokens, and by their route."""
        by_lane: dict[Hashable, ByRoute] = defaultdict(lambda: defaultdict(list))
        for member in self._registry:
            if member.must_renew:
                continue  # revoked already: its deadline closes it
            by_lane[member.route.lane_of(member.backend)][member.route].append(member)
        return by_lane

    async def _sweep(self, by_route: ByRoute) -> int:
        """Revalidate the tokens of one service in batches. Return their number."""
        tokens = 0
        for route, members in by_route.items():
            for start in range(0, len(members), BATCH):
                tokens += await self._revalidate(route, members[start : start + BATCH])
        return tokens

    async def _revalidate(self, route: Route, members: Sequence[Member]) -> int:
        # Ten tabs of a user are ten sockets with one token: query it once.
        by_token = _by_token(members)
        verdicts = await route.revalidate([grant for grant, _ in by_token.values()])
        closing: dict[CloseReason, dict[Member, str]] = defaultdict(dict)
        for (grant, same), verdict in zip(by_token.values(), verdicts, strict=True):
            backend, token_id = grant.authentication.backend, grant.authentication.token_id
            code = self._outages.note(backend, verdict)
            for member in same:
                if member.must_renew or not _has(member, token_id):
                    continue  # meanwhile revoked with a margin, reauthenticated or closed
                if isinstance(verdict, Identity):
                    member.follow(verdict)
                elif code is not None:
                    closing[code][member] = token_id
        for code, tokens in closing.items():
            self._close(code, tokens)
        return len(by_token)

    def _close(self, code: CloseReason, tokens: dict[Member, str]) -> None:
        def note(count: int) -> None:
            self._closed += count

        self._bulk_close.close(
            list(tokens),
            code,
            cause="sweep",
            # While a store does not answer, no time of a revocation is known.
            since=None if code is CloseReason.UNAVAILABLE else self._complete_at,
            only_if=lambda member: _has(member, tokens[member]),
            done=note,
        )

    def pause(self) -> float:
        """Return the seconds until the next sweep: sooner while a store does not answer."""
        if not self.failures:
            return self._interval
        # Bound the exponent: 2.0 ** 1024 raises OverflowError.
        soon = FIRST_PAUSE * 2.0 ** min(self.failures - 1, 10)
        return min(soon, self._interval, self._grace or self._interval)


def _by_token(members: Sequence[Member]) -> dict[Token, tuple[Grant, list[Member]]]:
    """Group sockets by their token, each with the grant that has a handle, if one has."""
    by_token: dict[Token, tuple[Grant, list[Member]]] = {}
    for member in members:
        grant = member.grant
        if grant is not None:
            of_it = grant.authentication
            # An id is unique for its backend and issuer only, a key for its kind of user.
            token = (grant.user_kind, grant.user_pk, of_it.backend, of_it.issuer, of_it.token_id)
            best, same = by_token.get(token, (grant, []))
            same.append(member)
            # A socket that was opened by a ticket has no handle; one of the same token may.
            by_token[token] = (best if best.handle is not None else grant, same)
    return by_token


def _has(member: Member, token_id: str) -> bool:
    return member.token_id == token_id
