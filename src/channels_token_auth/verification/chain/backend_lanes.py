"""Choose the lane of a backend."""

from ...backends.contract import TokenBackend
from ..binding import bindings
from ..lanes import ROWS, LaneId

__all__ = ["backend_lane"]


def backend_lane(backend: TokenBackend) -> LaneId:
    """Return the lane of a local backend, or one of its own: for its class and options.

    So two routes that ask the same server share a lane, and with it what the server can bear.
    """
    if backend.is_local:
        return ROWS
    return LaneId(name=backend.name, of=bindings(backend)[0], is_remote=True)
