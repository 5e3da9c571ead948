"""Verify credentials by the backends of a route, in their lanes."""

from .backend_chain import BackendChain
from .consulting import ask_alone

__all__ = ["BackendChain", "ask_alone"]
