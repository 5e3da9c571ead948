"""The bound of revocation when every message is lost: each token is asked about again and again.

A store that cannot be asked ends nothing: its sockets stay, and it is asked again soon. Where a
site wants a bound on that too, `SWEEP_GRACE` has them told to try again.
"""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Protocol

from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity
from ..verification.route import Route

__all__ = ["BATCH", "Sweep", "Swept"]

BATCH = 200
"""Tokens in one question. After it, handshakes have their turn in the thread that asks, and frames
in the event loop. With a thousand, so much lives meanwhile that the garbage collector takes it for
lasting, and looks at all there is: among 10,000 sockets for longer than a sweep takes."""

FIRST_PAUSE = 1.0
"""Seconds after which a store that was away is asked again; then twice as many, and so on."""

logger = logging.getLogger("channels_token_auth")


class Sockets(Protocol):
    """Those of a node."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...


class Swept(Protocol):
    """A socket as the sweep sees it."""

    route: Route

    @property
    def grant(self) -> Grant | None:
        """What it was given; None for an anonymous one."""

    def follow(self, identity: Identity) -> None:
        """Its token stands, and this is how."""

    def close(self, code: CloseReason) -> None:
        """It has to go."""


class Sweep:
    """A node's. `sockets`: those of now; `before`: what else is to be done each time, or None.

    Between two sweeps there is a timer and no task; and not even that where nobody is connected,
    unless there is something else to be done.
    """

    def __init__(
        self,
        sockets: Sockets,
        before: Callable[[], Awaitable[None]] | None,
        *,
        interval: float,
        grace: float | None,
    ) -> None:
        self._sockets = sockets
        self._before = before
        self._interval = interval
        self._grace = grace
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._away_since: dict[str, float] = {}
        self._unanswered: set[str] = set()
        self._answered: set[str] = set()
        self.failures = 0
        """Sweeps in a row that did not get all answers."""

    def arm(self) -> None:
        """Sweep when it is time; where that is arranged already, nothing changes."""
        if self._timer is None and self._task is None:
            pause = self._pause() * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
            self._timer = self._loop.call_later(pause, self._begin)

    def hurry(self) -> None:
        """Sweep now: messages may have been lost."""
        if self._timer:
            self._timer.cancel()
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        self._timer = None
        if self._before or self._sockets:
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            if self._before:
                await self._before()
            await self.once()
        except Exception:
            logger.exception("A sweep failed, and is repeated.")
            self.failures += 1
        self._task = None
        self.arm()

    async def once(self) -> None:
        """Ask about every token, and close the sockets of those that have ended."""
        by_route: dict[Route, list[Swept]] = defaultdict(list)
        for socket in self._sockets:
            by_route[socket.route].append(socket)
        self._unanswered, self._answered = set(), set()
        for route, sockets in by_route.items():
            for start in range(0, len(sockets), BATCH):
                await self._ask(route, sockets[start : start + BATCH])
        self._tell()

    async def _ask(self, route: Route, sockets: Sequence[Swept]) -> None:
        by_token: dict[tuple[Any, str, str], tuple[Grant, list[Swept]]] = {}
        for socket in sockets:
            grant = socket.grant
            if grant is not None:
                token = (grant.user_pk, grant.authentication.backend, grant.authentication.token_id)
                known = by_token.get(token, (grant, []))
                known[1].append(socket)
                # One with a handle can be asked about better, as of a ticket's sockets none is.
                by_token[token] = (known[0] if known[0].handle is not None else grant, known[1])
        verdicts = await route.revalidate([grant for grant, _ in by_token.values()])
        for (grant, same), verdict in zip(by_token.values(), verdicts, strict=True):
            for socket in same:
                now = socket.grant
                # It may have been given another token meanwhile, which is not asked about.
                if now and now.authentication.token_id == grant.authentication.token_id:
                    self._act(socket, grant.authentication.backend, verdict)

    def _act(self, socket: Swept, backend: str, verdict: Identity | TokenAuthError) -> None:
        if isinstance(verdict, TokenAuthError) and verdict.code is CloseReason.UNAVAILABLE:
            self._unanswered.add(backend)
            since = self._away_since.get(backend, time.monotonic())
            if self._grace is not None and time.monotonic() - since >= self._grace:
                socket.close(CloseReason.UNAVAILABLE)
            return
        self._answered.add(backend)
        if isinstance(verdict, TokenAuthError):
            socket.close(verdict.code)
        else:
            socket.follow(verdict)

    def _tell(self) -> None:
        """Count, and log what has changed. One token without an answer is a store that is away."""
        away, was_away = self._unanswered, self._away_since
        self.failures = self.failures + 1 if away else 0
        for backend in sorted(away - was_away.keys()):
            logger.error("The token store of %r is away: its sockets stay for now.", backend)
        for backend in sorted((self._answered - away) & was_away.keys()):
            logger.warning("The token store of %r is back, and its tokens were checked.", backend)
        now = time.monotonic()
        self._away_since = {backend: was_away.get(backend, now) for backend in away}

    def _pause(self) -> float:
        if not self.failures:
            return self._interval
        soon = FIRST_PAUSE * 2.0 ** min(self.failures - 1, 10)
        return min(soon, self._interval, self._grace or self._interval)
