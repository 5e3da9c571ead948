"""A real Prometheus watches two nodes: alerts fire when they should, and resolve."""

import time
from contextlib import ExitStack

import pytest

from tests.deploy.incident import eventually, incident

pytestmark = pytest.mark.slow
PREFIX = "channels_token_auth"
LAYER, FLOOD = "TokenChannelLayerDown", "TokenRefusalsHigh"


def closes(watched):
    """Return how many closes each node has timed."""
    timed = f"sum by (instance) ({PREFIX}_revocation_to_close_seconds_count)"
    return list(watched.prometheus.query(timed).values())


def causes(watched):
    """Return what made nodes close sockets."""
    timed = f"sum by (cause) ({PREFIX}_revocation_to_close_seconds_count > 0)"
    found = watched.prometheus.query_range(timed, time.time() - 0.5, time.time())
    return {each["metric"]["cause"] for each in found}


def revoke_by_a_message(watched, clients):
    """Revoke users in another process, until a message has closed a socket. Return how many.

    Each time, the sweeps of both nodes may be faster: a row is gone before the message is sent.
    """
    revoked = 0
    while "revocation" not in causes(watched):
        revoked += 1
        name = f"ada{revoked}"
        watched.open(name, clients)
        watched.revoke(name)
        eventually(lambda name=name: watched.has_ended(name))
        eventually(lambda revoked=revoked: closes(watched) == [revoked] * 2)
    return revoked


def test_alerts_fire_and_resolve_during_a_revocation_an_outage_and_a_flood(tmp_path):
    with incident(tmp_path) as watched, ExitStack() as clients:
        watched.open("bob", clients)
        seen = watched.prometheus
        eventually(lambda: list(seen.query(f"{PREFIX}_open_connections").values()) == [1, 1])
        eventually(lambda: list(seen.query(f"{PREFIX}_nodes_seen").values()) == [2, 2])

        closed = revoke_by_a_message(watched, clients)
        # A machine that pauses has slow revocations for as long as the window of the rule.
        eventually(lambda: seen.firing() == set())

        # Without the channel layer, a sweep of each node finds it.
        watched.redis.stop()
        eventually(lambda: LAYER in seen.firing())
        watched.revoke("bob")
        eventually(lambda: watched.has_ended("bob"))
        eventually(lambda: closes(watched) == [closed + 1] * 2)
        assert "sweep" in causes(watched)
        watched.redis.start()
        eventually(lambda: seen.firing() == set())

        def is_noticed():
            watched.flood()
            return FLOOD in seen.firing() and seen.query(f"{PREFIX}_limits_reached_total > 0")

        eventually(is_noticed)
        eventually(lambda: seen.firing() == set())
