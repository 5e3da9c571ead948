"""Record the state of every token, and check every close and refusal of the servers against it.

The benchmark issues and revokes the tokens itself, stops the services and kills the nodes, so it
knows which socket may be open, and why one may be closed. All times are seconds since the epoch.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

from .plan import SLACK, Plan

__all__ = ["CUT_OFF", "Ledger", "Outage", "Place", "Token"]

CUT_OFF = frozenset({1001, 1005, 1006, 1012})
"""Codes with which sockets end when their node is killed or stopped."""

REVOKED = 4410

CLOCK = 1.5
"""Seconds by which a token may seem to expire early, since its claims are whole seconds."""


@dataclass(slots=True, kw_only=True, eq=False)
class Token:
    """One token. `is_stateless`: it is a JWT. `ending_at`: when the first call that revokes it
    began; `ended_at`: when that call had returned. `codes`: the close codes of all calls that
    revoke it, since a second call may follow before its socket is closed.
    """

    text: str
    is_stateless: bool
    issued_at: float
    expires_at: float = inf
    ending_at: float = inf
    ended_at: float = inf
    codes: frozenset[int] = frozenset()

    def begin_to_end(self, code: int) -> None:
        """Record that a call that revokes it begins."""
        self.ending_at = min(self.ending_at, time.time())
        self.codes |= {code}

    def end(self) -> None:
        """Record that such a call has returned."""
        self.ended_at = min(self.ended_at, time.time())

    def revive(self, code: int) -> None:
        """Record that the calls with this code are undone, unless calls with another code remain.

        Refusals of the token until now stay explained.
        """
        if self.codes == {code}:
            self.ended_at = inf


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """A node. `draining_at`: when its drain began; `leaving_at`: when it was killed or stopped."""

    name: str
    draining_at: float = inf
    leaving_at: float = inf

    @property
    def is_open(self) -> bool:
        """True while it takes clients."""
        return min(self.draining_at, self.leaving_at) == inf


@dataclass(slots=True, kw_only=True)
class Outage:
    """A time without Redis or PostgreSQL. `ended_at` is infinite while it lasts."""

    name: str
    began_at: float
    ended_at: float = inf


@dataclass(slots=True)
class Ledger:
    """All faults, in words, and counts of all that happened."""

    plan: Plan
    outages: list[Outage] = field(default_factory=list)
    wrongly_connected: list[str] = field(default_factory=list)
    wrongly_closed: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    delays: list[float] = field(default_factory=list)
    """Seconds from the return of a revocation, without an outage, until a socket was closed."""

    def deadline(self, token: Token) -> float:
        """Return when a socket of this token must be closed."""
        expiry = token.expires_at + self.plan.expiry_bound
        if token.ended_at == inf:
            return expiry
        deadline = token.ended_at + self.plan.bound
        for outage in self.outages:  # in the order in which they began
            # A sweep that fails is repeated when the store answers again.
            if outage.began_at <= deadline and outage.ended_at >= token.ended_at:
                deadline = max(deadline, outage.ended_at + self.plan.bound)
        return min(deadline, expiry)

    def is_troubled(self, at: float) -> bool:
        """Return True during an outage, and for the time that its end takes."""
        return any(each.began_at <= at <= each.ended_at + self.plan.bound for each in self.outages)

    # -- What the clients saw

    def closed(self, tokens: Sequence[Token], code: int, place: Place, at: float) -> None:
        """Check the end of a socket that was admitted. `tokens`: its own, and one that was sent to
        renew it and has no verdict yet.
        """
        self.counts[f"closed with {code}"] += 1
        token = tokens[0]
        if not any(self._explains_close(each, code, place, at) for each in tokens):
            known = " and ".join(self._describe(each, at) for each in tokens)
            self.wrongly_closed.append(f"{code} on {place.name}, {known}")
        elif code in token.codes and token.ending_at <= at and not self.is_troubled(at):
            # The last socket may be closed before the call has returned.
            self.delays.append(max(0.0, at - token.ended_at) if token.ended_at < inf else 0.0)

    def refused(
        self, token: Token, code: int, place: Place, at: float, *, ticket_at: float = inf
    ) -> None:
        """Check the refusal of a handshake. Code 0: the node could not be reached, or hung up.

        `ticket_at`: when the client fetched the ticket that it presented.
        """
        self.counts[f"refused with {code}"] += 1
        if code in (401, 4401, 4410, 4419, 4423):
            # Redis stores the tickets: after its outage, an earlier ticket is unknown.
            is_forgotten = any(
                each.name == "redis" and each.ended_at >= ticket_at for each in self.outages
            )
            if not (is_forgotten or self._is_dead(token, at)):
                self.wrongly_closed.append(
                    f"refused with {code} on {place.name}, {self._describe(token, at)}"
                )
        elif code not in (0, 429, 4429, 503, 4503):
            self.wrongly_closed.append(f"refused with {code} on {place.name}")
        elif place.is_open and not self.is_troubled(at):
            self.counts["put off without an outage"] += 1

    def admitted(self, token: Token, place: Place, at: float) -> None:
        """Check an admission."""
        self.counts["admitted"] += 1
        if at > self.deadline(token):
            self.wrongly_connected.append(f"admitted on {place.name}, {self._describe(token, at)}")

    def open(self, tokens: Sequence[Token], place: Place, at: float) -> bool:
        """Check an open socket; return False if it should be closed."""
        if any(at <= self.deadline(each) for each in tokens):
            return True
        self.wrongly_connected.append(f"open on {place.name}, {self._describe(tokens[0], at)}")
        return False

    def silent(self, place: Place) -> None:
        """Record an open socket whose messages are not answered."""
        self.wrongly_closed.append(f"no answer on {place.name}")

    # -- Why

    def _explains_close(self, token: Token, code: int, place: Place, at: float) -> bool:
        if code in CUT_OFF:
            return place.leaving_at <= at
        if code == 4503:
            return place.draining_at <= at
        if code == 4419:
            return token.expires_at <= at + CLOCK or self._is_wiped(token, at)
        # A verification that read the user before their deactivation finds the denial that this
        # wrote, and a denial of a JWT says "revoked".
        is_denied = code == REVOKED and token.is_stateless
        return token.ending_at <= at and (code in token.codes or is_denied)

    def _is_dead(self, token: Token, at: float) -> bool:
        return token.ending_at <= at or token.expires_at <= at + CLOCK or self._is_wiped(token, at)

    def _is_wiped(self, token: Token, at: float) -> bool:
        """Return True if Redis has lost the denials, so that older tokens are refused."""
        # A node notices it with its next question, at the latest with its next sweep.
        notices = self.plan.sweep_interval + SLACK
        return token.is_stateless and any(
            each.name == "redis"
            and each.began_at <= at
            and token.issued_at <= each.ended_at + notices
            for each in self.outages
        )

    def _describe(self, token: Token, at: float) -> str:
        """Return the history of a token, in seconds before now."""
        known = {
            "issued": token.issued_at,
            "expired": token.expires_at,
            "being ended": token.ending_at,
            "ended": token.ended_at,
        }
        known |= {f"{each.name} stopped": each.began_at for each in self.outages[-1:]}
        ages = [f"{what} {at - when:.1f} s ago" for what, when in known.items() if when < inf]
        codes = f", to close with {sorted(token.codes)}" if token.codes else ""
        return f"{'JWT' if token.is_stateless else 'key'} {', '.join(ages)}{codes}"
