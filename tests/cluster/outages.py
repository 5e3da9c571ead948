"""Faults of a fleet, each repaired at the end of a `with` block."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.fleet import Fleet

__all__ = ["hanging_redis", "killed", "stopped", "without_postgresql", "without_redis"]


@contextmanager
def without_redis(fleet: Fleet) -> Iterator[None]:
    """Kill Redis, which loses everything, for the `with` block."""
    fleet.redis.stop()
    try:
        yield
    finally:
        fleet.redis.start()


@contextmanager
def hanging_redis(fleet: Fleet) -> Iterator[None]:
    """Its connections stay, and nothing is answered."""
    fleet.redis.pause()
    try:
        yield
    finally:
        fleet.redis.resume()


@contextmanager
def without_postgresql(fleet: Fleet) -> Iterator[None]:
    """Kill PostgreSQL, which recovers after the `with` block."""
    fleet.postgresql.kill()
    try:
        yield
    finally:
        fleet.postgresql.start()


@contextmanager
def stopped(fleet: Fleet, kind: str) -> Iterator[None]:
    """A node stands still, with all its sockets."""
    group = fleet.nodes[kind].process.pid
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


@contextmanager
def killed(fleet: Fleet, kind: str) -> Iterator[None]:
    """A node is no more; another takes its place."""
    node = fleet.nodes.pop(kind)
    os.killpg(node.process.pid, signal.SIGKILL)
    node.process.wait()
    try:
        yield
    finally:
        fleet.nodes[kind] = fleet.launch(kind)
        fleet.nodes[kind].wait_until_ready()
        fleet.balance()
