"""Metrics, limits and audit records, for a contestant that has all of them or none."""

import logging
import os
import sys

__all__ = ["LIMITED", "UNLIMITED", "switch_metrics_off", "write_audit_records"]

MANY = "1000000/second"
LIMITED = {
    "FAILURES": MANY,
    "HANDSHAKES": MANY,
    "WAITING": {"address": 1_000_000, "node": 1_000_000},
    "CONNECTIONS": {"user": 1_000_000, "token": 1_000_000},
    "MESSAGES": MANY,
    "BYTES": "1000000000/second",
    "IDLE": 3600,
}
"""Each limit counts, and none is reached."""

UNLIMITED = {
    "FAILURES": None,
    "WAITING": {"address": None, "node": None},
    "TICKETS": None,
}
"""The limits that have a default, without it."""


def switch_metrics_off() -> None:
    """Have the app find no prometheus-client, as on a site that has not installed it.

    Call it before Django starts.
    """
    sys.modules["prometheus_client"] = None  # type: ignore[assignment]


def write_audit_records() -> None:
    """Write each record as a site would, to a file that keeps nothing."""
    audit = logging.getLogger("channels_token_auth.audit")
    handler = logging.FileHandler(os.devnull)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    audit.addHandler(handler)
    audit.setLevel(logging.INFO)
    audit.propagate = False
