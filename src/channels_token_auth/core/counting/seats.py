"""Choose the sockets of a user or a token that are too many, so that all nodes choose the same.

A *seat* is an open socket that counts for a limit. Each node has a table of the seats of all nodes,
and closes its own sockets that are over the limit. The nodes do not negotiate. Two facts make that
correct: the order of seats is total (time of admission, then id), and a further seat never brings
another one back under the limit. So a node with an incomplete table closes no socket that a node
with the complete table would keep.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from ..identity import UserKey
from ..limits import ConnectionLimits, LimitPolicy

__all__ = ["RETRY_AFTER", "Seat", "SeatTable", "too_many"]

RETRY_AFTER = {LimitPolicy.REFUSE: 10, LimitPolicy.CLOSE_OLDEST: 60}
"""Seconds that a client waits at least before it reconnects. A client whose socket was closed in
favour of a newer one waits longer: otherwise the windows of a user with one window too many would
close each other again and again."""


class Seat(NamedTuple):
    """One open socket. Times are whole microseconds since the epoch.

    `admitted_at`: when it came; `token_since`: the same for its present token. `policy`: that of
    its route. Routes with different policies count separately: one policy would close the oldest
    of their common sockets, and the other one the newest.
    """

    id: str
    node: str
    user: UserKey
    token: tuple[str, str]
    """The name of the backend, and the token's id."""
    admitted_at: int
    token_since: int
    policy: LimitPolicy


def too_many(seats: Iterable[Seat], limit: int, policy: LimitPolicy, *, of_token: bool) -> set[str]:
    """Return the ids of the seats over the limit: the newest or the oldest, by the policy."""
    key = _by_token if of_token else _by_user
    # The order is total and the same on all nodes: two sockets of the same microsecond are ordered
    # by their ids. So two nodes never close different sockets for the same seats.
    ordered = [each.id for each in sorted(seats, key=key)]
    excess = max(0, len(ordered) - limit)
    if policy is LimitPolicy.CLOSE_OLDEST:
        return set(ordered[:excess])
    return set(ordered[len(ordered) - excess :])


class SeatTable:
    """The seats of all nodes. `node`: the name of the node that owns the table.

    Seats of other nodes count until `lapse` seconds after their last announcement. All times but
    those of seats are seconds of a clock that never goes back.
    """

    def __init__(self, node: str, *, lapse: float) -> None:
        self._node = node
        self._lapse = lapse
        self._all: dict[str, tuple[Seat, float]] = {}
        # Only by user: a token has one user, whose seats nearly always are one or a few.
        self._by_user: dict[_User, set[str]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def get(self, seat_id: str) -> Seat | None:
        """Return the seat with this id, or None."""
        found = self._all.get(seat_id)
        return found and found[0]

    def is_only(self, user: UserKey, *, seat_id: str) -> bool:
        """Return whether the user has no other seat than this one, on all nodes.

        Nearly all users have one, and need no more work: only a limit of 0 refuses it.
        """
        ids = self._by_user.get((user.kind, user.key))
        return ids is None or len(ids) == (seat_id in ids)

    def put(self, seat: Seat, now: float) -> None:
        """Store a seat; also when it is announced again, or has another token."""
        known = self._all.get(seat.id)
        self._all[seat.id] = seat, now
        if known is not None:
            if known[0] == seat:  # a repeated announcement changes only the time
                return
            self._leave(known[0])
        key = (seat.user.kind, seat.user.key)
        ids = self._by_user.get(key)
        if ids is None:
            self._by_user[key] = {seat.id}
        else:
            ids.add(seat.id)

    def remove(self, seat_id: str) -> None:
        """Remove a seat, if it is known."""
        found = self._all.pop(seat_id, None)
        if found is not None:
            self._leave(found[0])

    def _leave(self, seat: Seat) -> None:
        key = (seat.user.kind, seat.user.key)
        ids = self._by_user[key]
        ids.discard(seat.id)
        if not ids:
            del self._by_user[key]

    def prune(self, now: float) -> None:
        """Remove the seats that do not count any more."""
        for seat, seen_at in list(self._all.values()):
            if not self._counts(seat, seen_at, now):
                self.remove(seat.id)

    def next_time(self, user: UserKey, moment: int) -> int:
        """Return the time of a socket that is admitted now: later than all others of its user.

        So a node whose clock is behind does not make the newest socket look like the oldest.
        """
        # Under both policies: routes may differ, and the order is one for all sockets of the user.
        for each in self._by_user.get((user.kind, user.key), ()):
            moment = max(moment, self._all[each][0].token_since + 1)
        return moment

    def is_full(self, seat: Seat, limits: ConnectionLimits, now: float) -> bool:
        """Return whether there is no room for a new seat, or for its new token."""
        limited = _limited(seat, limits)
        # Compare the number first: nearly all users have few sockets, and need no more work.
        count = len(self._by_user.get((seat.user.kind, seat.user.key), ()))
        if all(count < limit for _, limit in limited):
            return False
        groups = self._groups(seat.user, now)
        return any(
            len([each for each in groups.get(key, ()) if each.id != seat.id]) >= limit
            for key, limit in limited
        )

    def excess(
        self,
        touched: Collection[Seat],
        limits_of: Callable[[Seat], ConnectionLimits | None],
        now: float,
    ) -> set[str]:
        """Return this node's seats over the limit, after some seats have changed.

        `limits_of`: the limits of a seat of this node; None: it is closed already.
        """
        found: set[str] = set()
        groups: dict[_Key, list[Seat]] = {}
        for user in {seat.user for seat in touched}:
            groups |= self._groups(user, now)
        for key in {key for seat in touched for key in _keys(seat)}:
            seats = groups.get(key, [])
            own = [(each, limits_of(each)) for each in seats if each.node == self._node]
            # Nearly always an empty set, so that usually nothing is sorted and no seat is hashed.
            for limits in {its for _, its in own if its and _is_over(key, len(seats), its)}:
                found |= _over(key, seats, limits) & {s.id for s, its in own if its == limits}
        return found

    def _groups(self, user: UserKey, now: float) -> dict["_Key", list[Seat]]:
        """Return a user's seats that count: those of each policy, and of each token of it."""
        groups: dict[_Key, list[Seat]] = {}
        # Once for all groups: a user's seats may be thousands, each with another token.
        for each in self._by_user.get((user.kind, user.key), ()):
            seat, seen_at = self._all[each]
            if self._counts(seat, seen_at, now):
                for key in _keys(seat):
                    groups.setdefault(key, []).append(seat)
        return groups

    def _counts(self, seat: Seat, seen_at: float, now: float) -> bool:
        # Its own seats are removed when they close. Those of another node may belong to a process
        # that was killed: they lapse after two sweeps without an announcement.
        return seat.node == self._node or now - seen_at < self._lapse


# A user's kind and key. A plain tuple of text is hashed without a call of Python's own code.
_User = tuple[str | None, str]

# A policy, a user, and one of their tokens or None: a token's id is unique among those of its
# issuer only.
_Key = tuple[LimitPolicy, str | None, str, tuple[str, str] | None]


def _keys(seat: Seat) -> tuple[_Key, _Key]:
    kind, key, policy = seat.user.kind, seat.user.key, seat.policy
    return (policy, kind, key, None), (policy, kind, key, seat.token)


def _is_of_token(key: _Key) -> bool:
    return key[3] is not None


def _limited(seat: Seat, limits: ConnectionLimits) -> list[tuple[_Key, int]]:
    """Return the keys of a seat that have a limit, each with its limit."""
    both = zip(_keys(seat), (limits.user, limits.token), strict=True)
    return [(key, limit) for key, limit in both if limit is not None]


def _limit(key: _Key, limits: ConnectionLimits) -> int | None:
    return limits.token if _is_of_token(key) else limits.user


def _is_over(key: _Key, count: int, limits: ConnectionLimits) -> bool:
    limit = _limit(key, limits)
    return limit is not None and count > limit


def _over(key: _Key, seats: Collection[Seat], limits: ConnectionLimits) -> set[str]:
    limit = _limit(key, limits)
    if limit is None:
        return set()
    return too_many(seats, limit, limits.policy, of_token=_is_of_token(key))


def _by_user(seat: Seat) -> tuple[int, str]:
    return seat.admitted_at, seat.id


def _by_token(seat: Seat) -> tuple[int, str]:
    return seat.token_since, seat.id
