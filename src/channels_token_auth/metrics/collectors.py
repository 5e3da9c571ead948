"""Count and measure the events that the library emits."""

from collections.abc import Callable
from functools import cache
from typing import Any

from prometheus_client import Counter, Gauge, Histogram

from ..node.node import local_nodes
from ..observability import events
from ..observability.events import subscribe
from ..observability.outage_watch import end_stale_outages
from ..verification.lanes import lanes
from .registry import forget_dead_processes
from .sockets import count_sockets, is_counted_at_scrape

__all__ = ["HANDLERS", "refresh", "start"]

PREFIX = "channels_token_auth"
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, from a fast query to the default of VERIFY_TIMEOUT."""

SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds, from a message between nodes to five sweeps of the default interval."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

nodes_seen = Gauge(
    f"{PREFIX}_nodes_seen",
    "Nodes that announced themselves within three sweeps, this one included.",
    multiprocess_mode="livemax",
)
handshakes = Counter(
    f"{PREFIX}_handshakes",
    "Handshakes by outcome: accepted, anonymous, abandoned by the client, or the reason of the"
    " refusal.",
    ["outcome", "backend", "location"],
)
reauthentications = Counter(
    f"{PREFIX}_reauthentications",
    "Tokens presented on open sockets, by outcome.",
    ["outcome", "backend"],
)
closes = Counter(
    f"{PREFIX}_closes",
    "Authenticated sockets that closed, by close code; other: not by the library.",
    ["code", "reason"],
)
requests_refused = Counter(
    f"{PREFIX}_requests_refused", "Refused requests to the library's HTTP endpoints.", ["reason"]
)
identities_injected = Counter(
    f"{PREFIX}_identities_injected", "Sockets that `token_connect --user` opened without a token."
)
verification_seconds = Histogram(
    f"{PREFIX}_verification_seconds",
    "Time that one batch of verifications took.",
    buckets=FAST,
)
verification_batch_size = Histogram(
    f"{PREFIX}_verification_batch_size",
    "Tokens in one batch of verifications.",
    buckets=SIZES,
)
queue_length = Gauge(
    f"{PREFIX}_queue_length",
    "Verifications that wait, by lane.",
    ["lane"],
    multiprocess_mode="livesum",
)
queue_refusals = Counter(
    f"{PREFIX}_queue_refusals",
    "Verifications that were refused because too many wait in their lane, or for too long.",
    ["lane"],
)
verification_timeouts = Counter(
    f"{PREFIX}_verification_timeouts", "Verifications that took longer than VERIFY_TIMEOUT."
)
cache_hits = Counter(f"{PREFIX}_cache_hits", "Handshakes answered from the verdict cache.")
sweep_seconds = Histogram(f"{PREFIX}_sweep_seconds", "Time that one sweep took.", buckets=SLOW)
swept_tokens = Counter(
    f"{PREFIX}_swept_tokens", "Tokens whose backends sweeps have asked about them."
)
sweep_failures = Counter(
    f"{PREFIX}_sweep_failures", "Sweeps that failed, or did not get all answers."
)
revocations = Counter(
    f"{PREFIX}_revocations", "Revocations that this process published.", ["reason"]
)
limits_reached = Counter(
    f"{PREFIX}_limits_reached", "Clients that reached a limit, by its name in LIMITS.", ["limit"]
)
revocation_to_close_seconds = Histogram(
    f"{PREFIX}_revocation_to_close_seconds",
    "Time from the commit of a revocation to the close of each of its sockets; for a sweep, since"
    " the sweep before at most.",
    ["cause"],
    buckets=SLOW,
)
bulk_closes = Counter(
    f"{PREFIX}_bulk_closes",
    "Sockets that a node closed of its own accord: for a revocation, a sweep or a drain.",
    ["cause", "reason"],
)
outages = Counter(f"{PREFIX}_outages", "Outages of a service, by kind.", ["service"])
services_down = Gauge(
    f"{PREFIX}_services_down",
    "Services that do not answer at the moment, by kind.",
    ["service"],
    multiprocess_mode="livemax",
)
messages_ignored = Counter(
    f"{PREFIX}_messages_ignored",
    "Messages on the channel layer that were not acted on.",
    ["reason"],
)

_started = False


def start() -> None:
    """Subscribe to the events. A second call changes nothing."""
    global _started  # noqa: PLW0603 - one registry per process
    if _started:
        return
    _started = True
    for kind, handle in HANDLERS.items():
        if kind is events.HandshakeBegan and is_counted_at_scrape():
            continue  # an event without subscribers is not built, which saves time per handshake
        subscribe(kind, handle)


def refresh() -> None:
    """Update the gauges, for a scrape."""
    count_sockets()
    end_stale_outages()
    for lane, length in lanes.lengths().items():
        queue_length.labels(lane).set(length)
    # Every node counts all others, too, so that a sum would count them several times.
    nodes_seen.set(max((node.nodes_seen for node in local_nodes()), default=0))


def _handshake_ended(outcome: str, of: events.Reported) -> None:
    _child(handshakes, outcome, of.backend or "none", of.location or "none").inc()
    count_sockets()


@cache  # `labels` takes longer than all else that counts a handshake
def _child(counter: Counter, *labels: str) -> Counter:
    """Return the counter of these labels, all of which come from closed sets."""
    return counter.labels(*labels)


def _measured(event: events.QueueMeasured) -> None:
    queue_length.labels(event.lane).set(event.length)
    _child(queue_refusals, event.lane)  # at 0, so that its first refusals are an increase


def _overflowed(event: events.QueueOverflowed) -> None:
    queue_refusals.labels(event.lane).inc(event.refused)


def _refused(event: events.HandshakeRefused) -> None:
    _handshake_ended(event.code.value, event.connection)


def _reauthenticated(event: events.ConnectionReauthenticated) -> None:
    reauthentications.labels("accepted", event.connection.backend or "none").inc()


def _reauthentication_refused(event: events.ReauthenticationRefused) -> None:
    reauthentications.labels(event.code.value, event.connection.backend or "none").inc()


def _closed(event: events.ConnectionClosed) -> None:
    count_sockets()
    # A client chooses its own close code. As a label, it would create any number of series.
    if event.code is None:
        _child(closes, "other", "none").inc()
    else:
        _child(closes, str(event.code.close_code), event.code.value).inc()


def _request_refused(event: events.RequestRefused) -> None:
    requests_refused.labels(event.code.value).inc()


def _verified(event: events.BatchVerified) -> None:
    verification_seconds.observe(event.seconds)
    verification_batch_size.observe(event.size)


def _swept(event: events.SweepFinished) -> None:
    sweep_seconds.observe(event.seconds)
    swept_tokens.inc(event.tokens)
    refresh()  # with a shared folder, another process may answer all scrapes
    forget_dead_processes()  # another exporter may answer them, which does not do it
    if event.unavailable:
        sweep_failures.inc()


def _revoked(event: events.RevocationPublished) -> None:
    # `disconnect` publishes to the nodes too, and revokes no token.
    if event.is_revocation:
        revocations.labels(event.revocation.code.value).inc()


def _sockets_closed(event: events.SocketsClosed) -> None:
    bulk_closes.labels(event.cause, event.code.value).inc(event.count)
    if event.seconds is not None:
        closed_after = revocation_to_close_seconds.labels(event.cause)
        # prometheus-client has no `observe` for several at once. The time may be negative, because
        # the clocks of two nodes differ.
        for _ in range(event.count):
            closed_after.observe(max(0.0, event.seconds))


def _outage_began(event: events.OutageBegan) -> None:
    outages.labels(event.service).inc()
    # Counted, since two services of one kind may be down, such as two caches.
    services_down.labels(event.service).inc()


HANDLERS: dict[type[events.Event], Callable[[Any], None]] = {
    events.HandshakeBegan: count_sockets,
    events.ConnectionAuthenticated: lambda event: _handshake_ended("accepted", event.connection),
    events.AnonymousAdmitted: lambda event: _handshake_ended("anonymous", event.connection),
    events.HandshakeRefused: _refused,
    events.HandshakeAbandoned: lambda event: _handshake_ended("abandoned", event.connection),
    events.ConnectionReauthenticated: _reauthenticated,
    events.ReauthenticationRefused: _reauthentication_refused,
    events.ConnectionClosed: _closed,
    events.RequestRefused: _request_refused,
    events.IdentityInjected: lambda _: identities_injected.inc(),
    events.LimitReached: lambda event: limits_reached.labels(event.limit.value).inc(),
    events.BatchVerified: _verified,
    events.QueueMeasured: _measured,
    events.QueueOverflowed: _overflowed,
    events.VerificationTimedOut: lambda event: verification_timeouts.inc(event.count),
    events.CacheHit: lambda _: cache_hits.inc(),
    events.SweepFinished: _swept,
    events.SweepFailed: lambda _: sweep_failures.inc(),
    events.RevocationPublished: _revoked,
    events.SocketsClosed: _sockets_closed,
    events.OutageBegan: _outage_began,
    events.OutageEnded: lambda event: services_down.labels(event.service).dec(),
    events.MessageIgnored: lambda event: messages_ignored.labels(event.reason).inc(),
}
