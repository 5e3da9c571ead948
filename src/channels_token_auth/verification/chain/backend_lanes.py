"""Choose the lane of a backend."""

from ...backends.contract import TokenBackend
from ..binding import bindings
from ..lanes import ROWS, LaneId

__all__ = ["backend_lane"]


def backend_lane(backend: TokenBackend) -> LaneId:
    """Return the common lane of local backends, or the lane of this class with these options.

    So two routes that call the same server share a lane, and do not exceed its capacity together.
    """
    # `is_local` does not suffice: a function of the site, as in `ScopedBackend`, may call a server.
    if backend.is_local and not getattr(backend, "may_block", False):
        return ROWS
    return LaneId(name=backend.name, of=bindings(backend)[0], is_remote=True)
