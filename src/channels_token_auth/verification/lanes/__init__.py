"""Run blocking work in lanes: one thread for each service, so that none delays another."""

from .errand import Errand, Onward, run_here
from .lane_id import ROWS, LaneId, cache_lane, sweep_lane
from .lanes import Lanes, lanes

__all__ = [
    "ROWS",
    "Errand",
    "LaneId",
    "Lanes",
    "Onward",
    "cache_lane",
    "lanes",
    "run_here",
    "sweep_lane",
]
