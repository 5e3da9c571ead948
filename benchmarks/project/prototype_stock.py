"""The prototype around `stock`: the cost of a middleware that only authenticates."""

from benchmarks.project.prototype import prototype
from benchmarks.project.stock import application as inside

__all__ = ["application"]

application = prototype(inside)
