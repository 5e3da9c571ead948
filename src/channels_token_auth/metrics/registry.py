"""Select the registry to serve: that of this process, or of all worker processes together."""

import os
import re
from contextlib import suppress
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

__all__ = ["forget_dead_processes", "registry"]

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_OF_PROCESS = re.compile(r"gauge_live\w*_(\d+)\.db")


def registry() -> CollectorRegistry:
    """Return the registry of this process; of all worker processes, if they share a folder."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return REGISTRY
    forget_dead_processes()
    # A new one for each scrape, as prometheus-client's page on multiprocess mode shows.
    combined = CollectorRegistry()
    MultiProcessCollector(combined)  # type: ignore[no-untyped-call]  # it has no types
    return combined


def forget_dead_processes() -> None:
    """Remove the gauges of processes that have ended: their sockets are not open any more.

    Does nothing without a shared folder.

    prometheus-client leaves that to a hook of the server, which only gunicorn has. Counters of
    ended processes stay, because totals must not decrease.
    """
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    for file in Path(folder).glob("gauge_live*.db"):
        found = _OF_PROCESS.fullmatch(file.name)
        if found and not _is_alive(int(found[1])):
            # Several processes do this, each after its sweep: another one may be a moment faster.
            with suppress(FileNotFoundError):
                mark_process_dead(found[1])  # type: ignore[no-untyped-call]  # it has no types


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)  # POSIX: signal 0 sends nothing, and checks that the process exists
    except ProcessLookupError:
        return False
    except OSError:  # it belongs to another user
        return True
    return True
