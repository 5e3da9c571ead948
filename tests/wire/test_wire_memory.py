"""Flags of the servers keep clients that are not authenticated from filling the memory."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.wire.memory import compresses, growth, large_frame_is_refused
from tests.wire.record import Record
from tests.wire.servers import KINDS, Server, running

BOUND = 64  # MiB: forty frames of 15 MB, inflated, are 570
UNBOUNDED = {"hypercorn"}
"""Servers that inflate a frame before they look at its size, and that no flag keeps from it."""


@pytest.fixture(scope="module", params=KINDS)
def bounded(
    request: pytest.FixtureRequest,
    wire_database: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server of its own, since memory that has been taken once is seldom returned."""
    folder = tmp_path_factory.mktemp("bounded")
    with running(request.param, bounded=True, database=wire_database, directory=folder) as server:
        yield server


# The gate leaves out a server that no flag bounds: half a gigabyte is inflated to prove nothing.
@pytest.mark.parametrize(
    "bounded",
    [
        pytest.param(kind, marks=[pytest.mark.measured] if kind in UNBOUNDED else [])
        for kind in KINDS
    ],
    indirect=True,
)
@pytest.mark.slow
def test_compressed_frames_do_not_fill_the_memory(bounded: Server, record: Record) -> None:
    grown = growth(bounded)
    record.measure(bounded.kind, "memory", "with them, grows by MiB", grown)
    assert grown < BOUND or bounded.kind in UNBOUNDED


def test_large_frame_is_refused_as_recorded(bounded: Server, record: Record) -> None:
    refused = "yes" if large_frame_is_refused(bounded) else "no"
    record.check(bounded.kind, "memory", "with them, refuses a frame of 128 KiB", refused)


def test_flags_switch_compression_off(bounded: Server) -> None:
    assert not compresses(bounded) or bounded.kind in UNBOUNDED


def test_compression_is_accepted_as_recorded(server: Server, record: Record) -> None:
    record.check(server.kind, "memory", "compresses", "yes" if compresses(server) else "no")


@pytest.mark.measured
@pytest.mark.slow
def test_memory_of_a_server_without_flags_is_measured(
    server: Server,
    wire_database: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
    record: Record,
) -> None:
    folder = tmp_path_factory.mktemp("unbounded")
    with running(server.kind, database=wire_database, directory=folder) as own:
        record.measure(server.kind, "memory", "grows by MiB", growth(own))
