"""The prototype around `stock`: what a middleware costs that only authenticates."""

from benchmarks.project.prototype import prototype
from benchmarks.project.stock import application as inside

__all__ = ["application"]

application = prototype(inside)
