"""Verify credentials by the backends of a route, in their lanes."""

from .backend_chain import BackendChain, ask_alone

__all__ = ["BackendChain", "ask_alone"]
