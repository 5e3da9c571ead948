"""Count the sockets of this process: the admitted ones, and those that are not admitted yet."""

import os

from prometheus_client import Gauge

from ..node.node import local_nodes
from ..observability import events
from .registry import FOLDER

__all__ = ["count_sockets", "is_counted_at_scrape", "open_connections", "waiting_connections"]

open_connections = Gauge(
    "channels_token_auth_open_connections",
    "Sockets that were admitted and are open, anonymous ones included.",
    multiprocess_mode="livesum",
)
waiting_connections = Gauge(
    "channels_token_auth_waiting_connections",
    "Sockets in their opening handshake, or without a first message yet.",
    multiprocess_mode="livesum",
)


def is_counted_at_scrape() -> bool:
    """Return True unless several processes share a folder of metrics.

    A process on its own counts when it is scraped, and need not set gauges when sockets open.
    """
    return _IS_ALONE


# Once: prometheus-client also decides by this variable when it is imported. A look into
# `os.environ` encodes the name each time, and every socket would cause two.
_IS_ALONE = FOLDER not in os.environ


def count_sockets(_: events.Event | None = None) -> None:
    """Set the gauges, if processes share a folder: scrapes of others read the last values."""
    # Counted anew and not changed by one: a single error would stay in the number for ever.
    if not is_counted_at_scrape():
        admitted = _admitted()
        open_connections.set(admitted)
        waiting_connections.set(_waiting())


def _admitted() -> int:
    return sum(len(node.registry) for node in local_nodes())


def _waiting() -> int:
    begun = sum(len(node.sockets) + len(node.newcomers) for node in local_nodes())
    # The numbers change while this thread reads them: the difference may be negative.
    return max(0, begun - _admitted())


if is_counted_at_scrape():
    open_connections.set_function(_admitted)
    waiting_connections.set_function(_waiting)
