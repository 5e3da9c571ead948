"""The prototype around `bare`: the cost of a middleware that only authenticates."""

from benchmarks.project.bare import application as inside
from benchmarks.project.prototype import prototype

__all__ = ["application"]

application = prototype(inside)
