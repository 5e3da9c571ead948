"""Ids of sockets: random, and drawn from the operating system many at a time."""

import os

from .loop_local import at_fork

__all__ = ["new_id"]

BYTES = 8
"""Random bytes of an id. Users see it, and a serial number would disclose the number of sockets."""

DRAWN = 256
"""Ids that are drawn at once: a system call for each would take ten times as long."""

_unused: list[str] = []

# A child must not use the ids of its parent, or of another child.
at_fork(after_in_child=_unused.clear)


def new_id() -> str:
    """Return an id that no other socket of any process has. Any thread may call this."""
    while True:  # another thread may take all of those that this one has drawn
        try:
            return _unused.pop()
        except IndexError:
            drawn = os.urandom(DRAWN * BYTES).hex()
            _unused.extend([drawn[i : i + 2 * BYTES] for i in range(0, len(drawn), 2 * BYTES)])
