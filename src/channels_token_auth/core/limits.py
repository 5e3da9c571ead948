"""Limits as values: numbers and rates that one address, token or user may reach."""

from dataclasses import dataclass, field
from enum import StrEnum

from .close_codes import CloseReason
from .credentials import Secret

__all__ = ["ConnectionLimits", "Limit", "LimitPolicy", "Limits", "Rate", "WaitingLimits"]


class Limit(StrEnum):
    """The limits by name, as metrics and audit records have them."""

    FAILURES = "failures"
    HANDSHAKES = "handshakes"
    WAITING_ADDRESS = "waiting_address"
    WAITING_NODE = "waiting_node"
    CONNECTIONS = "connections"
    TICKETS = "tickets"
    MESSAGES = "messages"
    BYTES = "bytes"
    IDLE = "idle"

    @property
    def code(self) -> CloseReason:
        """The reason that a client over this limit receives."""
        # Both have the close code 4429, and clients treat them alike. The slug differs, since
        # "wait" helps against a rate, and closing another socket against a number.
        is_of_sockets = self in (Limit.CONNECTIONS, Limit.IDLE)
        return CloseReason.CONNECTION_LIMIT if is_of_sockets else CloseReason.RATE_LIMITED


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate: `count` in `seconds`."""

    count: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.count} in {self.seconds} s"


class LimitPolicy(StrEnum):
    """The choice of the sockets to close when a user or a token has too many."""

    REFUSE = "refuse"
    """The newest: it is closed with 4429."""
    CLOSE_OLDEST = "close_oldest"
    """The oldest, so that the newest stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLimits:
    """How many sockets may be open before they are authenticated; None: any number."""

    address: int | None = 50
    node: int | None = 1000
    is_default_address: bool = True
    """True if the site did not set `address`. The default is not applied to a proxy's address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How many sockets a user or a token may have over all nodes; None: any number."""

    user: int | None = None
    token: int | None = None
    policy: LimitPolicy = LimitPolicy.REFUSE

    @property
    def is_set(self) -> bool:
        """True if there is a limit."""
        return self.user is not None or self.token is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The setting `LIMITS`. None: no limit; `idle` is in seconds.

    Addresses: `failures` counts rejected credentials, `handshakes` all handshakes, and `waiting`
    sockets that are not authenticated yet. Tokens: `tickets` counts those that are not redeemed.
    Users: `connections`, `messages` and `bytes`. `storage`: the URI of the shared counters, a
    secret because it may have a password in it.
    """

    # On by default, since guessing tokens is the one attack on every site. All other rates depend
    # on what the site does: a wrong default would refuse legitimate clients.
    failures: Rate | None = Rate(30, 60)
    handshakes: Rate | None = None
    waiting: WaitingLimits = WaitingLimits()
    connections: ConnectionLimits = ConnectionLimits()
    # A client needs one ticket for each attempt to connect. Eight allow for a few tabs that
    # reconnect at the same time, and bound what a stolen token can put into the cache.
    tickets: int | None = 8
    messages: Rate | None = None
    bytes: Rate | None = None
    idle: float | None = None
    storage: Secret | None = None
    is_default_failures: bool = True
    """True if the site did not set `failures`: see `WaitingLimits.is_default_address`."""
    of_frames: tuple[int, ...] | None = field(init=False, repr=False, compare=False)
    """The numbers of `messages` and `bytes`, or None without both: a key for each user's counts,
    which is hashed without a call of Python's own code."""

    def __post_init__(self) -> None:
        rates = (self.messages, self.bytes)
        numbers = [n for each in rates for n in ((each.count, each.seconds) if each else (0, 0))]
        object.__setattr__(self, "of_frames", tuple(numbers) if any(rates) else None)

    @property
    def counts_frames(self) -> bool:
        """True if a limit depends on the frames of a socket."""
        return not (self.messages is None and self.bytes is None and self.idle is None)
