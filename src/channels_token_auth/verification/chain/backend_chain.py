"""Find the verdict on a token, step by step: its ticket, the backends in order, then the denylist.

Each step runs in a lane, so that a slow server delays the tokens of its own backend only. For a
caller that may block, all steps run in its own thread. Nothing here raises.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...backends.contract import Revocations, TokenBackend
from ...backends.replicas import revalidate
from ...clock import clock
from ...core.close_codes import CloseReason
from ...core.credentials import Credential
from ...core.errors import TokenAuthError
from ...core.identity import FinalVerdict, Grant, Identity, Verdict
from ..denylist import Denials, Denylist
from ..lanes import ROWS, LaneId, Onward, cache_lane, run_here, sweep_lane
from ..replaced import ReplacedTokens, is_gone
from ..tickets import Found, Tickets
from .backend_lanes import backend_lane
from .consulting import consult, is_open, may_recognize
from .question import put

__all__ = ["BackendChain"]

Step = Onward | FinalVerdict


@dataclass(slots=True, eq=False)
class _Case:
    """One credential that is being verified. `verdict`: that of the last backend."""

    credential: Credential
    began_at: float
    verdict: Verdict = None


@dataclass(frozen=True, slots=True, eq=False)
class _Stop:
    """Consecutive backends that share a lane, in which they are called one after the other."""

    chain: "BackendChain"
    number: int
    lane: LaneId
    backends: Sequence[TokenBackend]

    def recognizes(self, credential: Credential) -> bool:
        """Return whether one of its backends may recognize the credential. Runs no query."""
        # A loop and no generator, which takes twice as long.
        for backend in self.backends:  # noqa: SIM110
            if may_recognize(backend, credential):
                return True
        return False

    def ask(self, cases: Sequence[_Case]) -> Sequence[Step]:
        """Call the backends in order, each with the credentials that the former do not know."""
        for backend in self.backends:
            unknown = [case for case in cases if is_open(case.verdict)]
            answers = put(partial(consult, backend), [case.credential for case in unknown])
            for case, answer in zip(unknown, answers, strict=True):
                # Keep an `Unrecognized`: its detail is reported if no later backend knows the
                # token.
                case.verdict = answer or case.verdict
        return self.chain.conclude(cases, after=self.number)


class BackendChain:
    """The tickets, backends and denylist of one route, in this order. `cache`: its alias."""

    def __init__(
        self,
        backends: Sequence[TokenBackend],
        tickets: Tickets,
        denylist: Denylist,
        replaced: ReplacedTokens,
        *,
        cache: str,
    ) -> None:
        self._replaced = replaced
        self._tickets = tickets
        self._by_name = {each.name: each for each in backends}
        self._lanes = {each.name: backend_lane(each) for each in backends}
        self._stops = self._in_a_row(backends)
        self._cache_lane = cache_lane(cache)
        self._denials = Denials(
            denylist,
            with_rows=_names(backends, Revocations.ROWS),
            with_store=_names(backends, Revocations.STORE),
        )

    # -- Credentials

    def begin(self, credential: Credential) -> Step:
        """Return the first step of a credential. Costs no query: an event loop may call it."""
        case = _Case(credential, clock.calendar())
        if self._tickets.recognizes(credential):
            return Onward(self._cache_lane, self._look_up, case)
        return self._next(case, 0)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[FinalVerdict]:
        """Return the verdict on each. Blocks."""
        return run_here([self.begin(each) for each in credentials])

    def conclude(self, cases: Sequence[_Case], *, after: int) -> Sequence[Step]:
        """Return the next steps after this stop: another one, the denylist, or none."""
        verdicts = [case.verdict for case in cases]
        steps: list[Step] = [
            self._next(case, after + 1) if verdict is None or is_open(verdict) else verdict
            for case, verdict in zip(cases, verdicts, strict=True)
        ]
        return self._undenied(cases, steps)

    def _next(self, case: _Case, start: int) -> Step:
        for stop in self._stops[start:]:
            if stop.recognizes(case.credential):
                return Onward(stop.lane, stop.ask, case)
        # The most exact reason that a backend has given, if no other one knows the token.
        unknown = TokenAuthError(CloseReason.TOKEN_INVALID)
        return case.verdict if isinstance(case.verdict, TokenAuthError) else unknown

    def _in_a_row(self, backends: Sequence[TokenBackend]) -> Sequence[_Stop]:
        rows: list[tuple[LaneId, list[TokenBackend]]] = []
        for backend in backends:
            lane = self._lanes[backend.name]
            # Each step costs a switch of threads, so consecutive backends of a lane share one.
            if not rows or rows[-1][0] != lane:
                rows.append((lane, []))
            rows[-1][1].append(backend)
        return [_Stop(self, number, *row) for number, row in enumerate(rows)]

    # -- The denylist

    def _undenied(self, cases: Sequence[_Case], steps: Sequence[Step]) -> Sequence[Step]:
        """Apply the denylist to accepted tokens: here, or in its lane if its cache may block."""
        if self._denials.can_block:
            return [
                Onward(self._cache_lane, self._ask_denylist, (case, step))
                if isinstance(step, Identity) and self._denials.concern(step)
                else step
                for case, step in zip(cases, steps, strict=True)
            ]
        return self._denials.apply(steps, [case.began_at for case in cases], is_first=True)

    def _ask_denylist(self, accepted: Sequence[tuple[_Case, Identity]]) -> Sequence[Step]:
        identities = [identity for _, identity in accepted]
        return self._denials.apply(identities, [c.began_at for c, _ in accepted], is_first=True)

    # -- Tickets: looked up and used up in the cache's lane, their parents revalidated in their own

    def _look_up(self, cases: Sequence[_Case]) -> Sequence[Step]:
        found = put(self._tickets.look_up, [case.credential for case in cases])
        return [
            Onward(self._lane(each.backend), self._ask_parents, (case, each))
            if isinstance(each, Found)
            else each
            for case, each in zip(cases, found, strict=True)
        ]

    def _ask_parents(self, found: Sequence[tuple[_Case, Found]]) -> Sequence[Step]:
        verdicts = put(self._tickets.ask_parents, [each for _, each in found])
        return [
            # If the parent cannot be verified now, the ticket stays unused and may be tried again.
            verdict
            if isinstance(verdict, TokenAuthError) and verdict.code.is_transient
            else Onward(self._cache_lane, self._use_up, (case, each, verdict))
            for (case, each), verdict in zip(found, verdicts, strict=True)
        ]

    def _use_up(self, redeemed: Sequence[tuple[_Case, Found, FinalVerdict]]) -> Sequence[Step]:
        # The ticket of a replaced parent is refused as expired (4419), not as revoked (4410).
        grants = [found.grant for _, found, _ in redeemed]
        refined = self._replaced.apply(grants, [verdict for _, _, verdict in redeemed])
        verdicts = [
            self._tickets.use_up(found, verdict)
            for (_, found, _), verdict in zip(redeemed, refined, strict=True)
        ]
        began_at = [case.began_at for case, _, _ in redeemed]
        return self._denials.apply(verdicts, began_at, is_first=True)

    # -- Grants of open sockets

    def by_lane(self, grants: Sequence[Grant]) -> Mapping[LaneId, Sequence[int]]:
        """Return the lanes in which a sweep verifies these grants, with the grants' indexes."""
        places: dict[LaneId, list[int]] = defaultdict(list)
        for i, grant in enumerate(grants):
            places[self.lane_of(grant.authentication.backend)].append(i)
        return places

    def lane_of(self, backend: str | None) -> LaneId:
        """Return the lane in which a sweep calls the backend with this name."""
        return sweep_lane(self._lane(backend))

    def begin_sweep(self, lane: LaneId, grants: Sequence[Grant]) -> Onward:
        """Return the first step of revalidating these grants, all of one lane."""
        return Onward(lane, self._sweep, grants)

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[FinalVerdict]:
        """Return a verdict on each grant, with one call of each backend. Blocks."""
        return self._settle(grants, self._ask_backends(grants))

    def _sweep(self, batches: Sequence[Sequence[Grant]]) -> Sequence[Step | Sequence[FinalVerdict]]:
        return [self._sweep_batch(grants) for grants in batches]

    def _sweep_batch(self, grants: Sequence[Grant]) -> Step | Sequence[FinalVerdict]:
        verdicts = self._ask_backends(grants)
        if self._denials.can_block and any(
            is_gone(each) or self._denials.concern(each) for each in verdicts
        ):
            lane = sweep_lane(self._cache_lane)
            return Onward(lane, self._sweep_cache, (grants, verdicts))
        return self._settle(grants, verdicts)

    def _sweep_cache(
        self, batches: Sequence[tuple[Sequence[Grant], Sequence[FinalVerdict]]]
    ) -> Sequence[Sequence[FinalVerdict]]:
        return [self._settle(*batch) for batch in batches]

    def _settle(
        self, grants: Sequence[Grant], verdicts: Sequence[FinalVerdict]
    ) -> Sequence[FinalVerdict]:
        """Mark replaced tokens as expired, and apply the denylist to the valid ones."""
        refined = self._replaced.apply(grants, verdicts)
        return self._denials.apply(refined, [each.verified_at for each in grants])

    def _ask_backends(self, grants: Sequence[Grant]) -> Sequence[FinalVerdict]:
        by_backend: dict[str, list[int]] = defaultdict(list)
        for i, each in enumerate(grants):
            by_backend[each.authentication.backend].append(i)
        verdicts: dict[int, Verdict] = {}
        for name, places in by_backend.items():
            asked = [grants[i] for i in places]
            verdicts |= zip(places, put(partial(self._revalidate, name), asked), strict=True)
        revoked = TokenAuthError(CloseReason.TOKEN_REVOKED)
        # None from `revalidate`: the token does not exist any more.
        return [verdicts[i] or revoked for i in range(len(grants))]

    def _revalidate(self, name: str, grants: Sequence[Grant]) -> Sequence[Verdict]:
        # In here, where an unknown name raises KeyError for the tokens of this name only.
        return revalidate(self._by_name[name], grants)

    def _lane(self, backend: str | None) -> LaneId:
        # Anonymous sockets have no backend, and a site's backend may return an unknown name.
        return ROWS if backend is None else self._lanes.get(backend, ROWS)


def _names(backends: Sequence[TokenBackend], revocations: Revocations) -> frozenset[str]:
    return frozenset(each.name for each in backends if each.revocations is revocations)
