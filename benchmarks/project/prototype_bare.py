"""The prototype around `bare`: what a middleware costs that only authenticates."""

from benchmarks.project.bare import application as inside
from benchmarks.project.prototype import prototype

__all__ = ["application"]

application = prototype(inside)
