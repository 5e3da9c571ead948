"""Each event is counted, under labels that no client can choose."""

import pytest
from prometheus_client import REGISTRY

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.limits import Limit
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.metrics.collectors import HANDLERS, refresh
from channels_token_auth.observability import events, outage_watch
from channels_token_auth.observability.events import emit
from tests.reported import Reported

REVOKED = CloseReason.TOKEN_REVOKED
CANARY = "chosen-by-the-client"
FACTS = Reported(
    connection_id=CANARY,
    node=CANARY,
    user_id=CANARY,
    user_kind=CANARY,
    token_id=CANARY,
    backend="drf",
    location="header",
    address=CANARY,
    origin=CANARY,
    path=CANARY,
)
REVOCATION = Revocation(target=Target(user_id=CANARY), code=CloseReason.TOKEN_REVOKED)


def value(name, **labels):
    return REGISTRY.get_sample_value(f"channels_token_auth_{name}", labels) or 0.0


@pytest.mark.parametrize(
    ("event", "name", "labels", "change"),
    [
        (
            events.ConnectionAuthenticated(connection=FACTS),
            "handshakes_total",
            {"outcome": "accepted", "backend": "drf", "location": "header"},
            1,
        ),
        (
            events.HandshakeRefused(connection=FACTS, code=CloseReason.TOKEN_INVALID),
            "handshakes_total",
            {"outcome": "token_invalid", "backend": "drf", "location": "header"},
            1,
        ),
        (events.VerificationTimedOut(count=2), "verification_timeouts_total", {}, 2),
        (
            events.ConnectionReauthenticated(connection=FACTS),
            "reauthentications_total",
            {"outcome": "accepted", "backend": "drf"},
            1,
        ),
        (
            events.ReauthenticationRefused(connection=FACTS, code=CloseReason.UNAVAILABLE),
            "reauthentications_total",
            {"outcome": "unavailable", "backend": "drf"},
            1,
        ),
        (
            events.ConnectionClosed(
                connection=FACTS, code=CloseReason.TOKEN_EXPIRED, close_code=4419
            ),
            "closes_total",
            {"code": "4419", "reason": "token_expired"},
            1,
        ),
        (
            events.ConnectionClosed(connection=FACTS, code=None, close_code=4999),
            "closes_total",
            {"code": "other", "reason": "none"},
            1,
        ),
        (
            events.AnonymousAdmitted(connection=FACTS),
            "handshakes_total",
            {"outcome": "anonymous", "backend": "drf", "location": "header"},
            1,
        ),
        (
            events.HandshakeAbandoned(connection=FACTS),
            "handshakes_total",
            {"outcome": "abandoned", "backend": "drf", "location": "header"},
            1,
        ),
        (
            events.RequestRefused(method="GET", path=CANARY, code=CloseReason.FORBIDDEN),
            "requests_refused_total",
            {"reason": "forbidden"},
            1,
        ),
        (
            events.BatchVerified(size=3, seconds=0.02),
            "verification_batch_size_sum",
            {},
            3,
        ),
        (
            events.BatchVerified(size=3, seconds=0.25),
            "verification_seconds_sum",
            {},
            0.25,
        ),
        (
            events.LimitReached(limit=Limit.IDLE),
            "limits_reached_total",
            {"limit": Limit.IDLE.value},
            1,
        ),
        (
            events.QueueMeasured(lane="rows", length=3),
            "queue_length",
            {"lane": "rows"},
            3,
        ),
        (
            events.QueueOverflowed(lane="rows", refused=2),
            "queue_refusals_total",
            {"lane": "rows"},
            2,
        ),
        (events.CacheHit(), "cache_hits_total", {}, 1),
        (
            events.IdentityInjected(operator=CANARY, user_id=CANARY, path=CANARY),
            "identities_injected_total",
            {},
            1,
        ),
        (
            events.SweepFinished(node="n", tokens=1, closed=0, seconds=0.5, unavailable=()),
            "sweep_seconds_sum",
            {},
            0.5,
        ),
        (
            events.SweepFinished(node="n", tokens=7, closed=0, seconds=0.5, unavailable=()),
            "swept_tokens_total",
            {},
            7,
        ),
        (
            events.SweepFinished(node="n", tokens=1, closed=0, seconds=0.5, unavailable=["drf"]),
            "sweep_failures_total",
            {},
            1,
        ),
        (events.SweepFailed(node="n"), "sweep_failures_total", {}, 1),
        (
            events.RevocationPublished(revocation=REVOCATION, is_revocation=True),
            "revocations_total",
            {"reason": "token_revoked"},
            1,
        ),
        (
            events.RevocationPublished(revocation=REVOCATION, is_revocation=False),
            "revocations_total",
            {"reason": "token_revoked"},
            0,
        ),
        (
            events.SocketsClosed(cause="sweep", code=REVOKED, count=3, seconds=0.5),
            "revocation_to_close_seconds_count",
            {"cause": "sweep"},
            3,
        ),
        (
            events.SocketsClosed(cause="drain", code=REVOKED, count=3, seconds=None),
            "revocation_to_close_seconds_count",
            {"cause": "drain"},
            0,
        ),
        (
            # A clock that is behind the publisher's must not make the sum smaller.
            events.SocketsClosed(cause="revocation", code=REVOKED, count=1, seconds=-3.0),
            "revocation_to_close_seconds_sum",
            {"cause": "revocation"},
            0,
        ),
        (
            events.SocketsClosed(cause="drain", code=REVOKED, count=3, seconds=None),
            "bulk_closes_total",
            {"cause": "drain", "reason": "token_revoked"},
            3,
        ),
        (events.OutageBegan(service="layer", name="x"), "outages_total", {"service": "layer"}, 1),
        (events.OutageBegan(service="cache", name="x"), "services_down", {"service": "cache"}, 1),
        (events.OutageEnded(service="cache", name="x"), "services_down", {"service": "cache"}, -1),
        (
            events.MessageIgnored(reason="foreign"),
            "messages_ignored_total",
            {"reason": "foreign"},
            1,
        ),
    ],
)
def test_event_changes_its_metric(event, name, labels, change):
    before = value(name, **labels)
    emit(event)
    change_seen = value(name, **labels) - before
    if isinstance(event, events.OutageBegan):
        emit(events.OutageEnded(service=event.service, name=event.name))
    assert change_seen == change


def test_every_kind_of_event_is_counted():
    kinds = {getattr(events, name) for name in events.__all__}
    kinds = {kind for kind in kinds if isinstance(kind, type) and issubclass(kind, events.Event)}
    # `LimitReached` counts every socket that a limit closes.
    assert kinds - {events.Event, events.ConnectionLimited} == set(HANDLERS)


class Unread:
    """A connection whose facts take too long to read for a metric."""

    backend, location = "drf", "header"

    def facts(self):
        raise AssertionError("Metrics need the backend and the location only.")


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (events.ConnectionAuthenticated, {}),
        (events.AnonymousAdmitted, {}),
        (events.ConnectionReauthenticated, {}),
        (events.HandshakeAbandoned, {}),
        (events.HandshakeRefused, {"code": CloseReason.TOKEN_INVALID}),
        (events.ReauthenticationRefused, {"code": CloseReason.TOKEN_INVALID}),
        (events.ConnectionClosed, {"code": None, "close_code": 1000}),
    ],
)
def test_all_facts_of_a_connection_are_not_read(kind, values):
    HANDLERS[kind](kind(connection=Unread(), **values))


def test_no_label_holds_what_a_client_sent():
    emit(events.ConnectionAuthenticated(connection=FACTS))
    emit(events.HandshakeRefused(connection=FACTS, code=CloseReason.MALFORMED, detail=CANARY))
    emit(events.ConnectionClosed(connection=FACTS, code=None, close_code=4321))
    samples = [sample for family in REGISTRY.collect() for sample in family.samples]
    values = [value for sample in samples for value in sample.labels.values()]
    assert not {CANARY, "4321"} & set(values)


def test_scrape_ends_the_outage_of_a_service_that_is_not_asked_any_more(monkeypatch):
    watch = outage_watch.OutageWatch("limits")
    before = value("services_down", service="limits")
    watch.failed("rarely asked", OSError())
    refresh()
    assert value("services_down", service="limits") == before + 1
    monkeypatch.setattr(outage_watch, "STALE", 0.0)
    refresh()
    assert value("services_down", service="limits") == before
