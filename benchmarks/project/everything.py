"""Switch metrics, limits and audit records on: all of them, some or none.

`BENCH_EVERYTHING` names the features: see `FEATURES`; "on" is all of them, and "off" none.
"""

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any

__all__ = [
    "EVERYTHING",
    "FEATURES",
    "features",
    "handler",
    "limits",
    "switch_metrics_off",
    "write_records",
]

MANY = "1000000/second"
UNLIMITED: dict[str, Any] = {
    "FAILURES": None,
    "WAITING": {"address": None, "node": None},
    "TICKETS": None,
}
"""The value that switches off each limit that has a default."""

FEATURES: dict[str, dict[str, Any]] = {
    "addresses": {"FAILURES": MANY, "HANDSHAKES": MANY},
    "waiting": {"WAITING": {"address": 1_000_000, "node": 1_000_000}},
    "connections": {"CONNECTIONS": {"user": 1_000_000, "token": 1_000_000}},
    "frames": {"MESSAGES": MANY, "BYTES": "1000000000/second"},
    "idle": {"IDLE": 3600},
    "audit": {},
    "metrics": {},
}
"""The limits of each feature. Each of them counts, and none is reached."""

LIMITS = ("addresses", "waiting", "connections", "frames", "idle")
EVERYTHING = os.environ.get("BENCH_EVERYTHING")


def features(words: str) -> frozenset[str]:
    """Return the features that the environment names."""
    if words == "on":
        return frozenset(FEATURES)
    named = frozenset(words.replace("limits", ",".join(LIMITS)).split(",")) - {"off"}
    if unknown := named - set(FEATURES):
        raise ValueError(f"BENCH_EVERYTHING names {sorted(unknown)}: use {sorted(FEATURES)}.")
    return named


def limits(named: Iterable[str]) -> dict[str, Any]:
    """Return the setting LIMITS of these features."""
    found = dict(UNLIMITED)
    for name in named:
        found |= FEATURES[name]
    return found


def switch_metrics_off() -> None:
    """Have the app find no prometheus-client, as on a site that has not installed it.

    Call it before Django starts.
    """
    sys.modules["prometheus_client"] = None  # type: ignore[assignment]


def write_records() -> None:
    """Write each audit record as a site would, to a file that keeps nothing."""
    audit = logging.getLogger("channels_token_auth.audit")
    audit.addHandler(handler())
    audit.setLevel(logging.INFO)
    audit.propagate = False


def handler() -> logging.Handler:
    """Return a handler that writes each record to a file."""
    made = logging.FileHandler(os.devnull)
    made.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return made
