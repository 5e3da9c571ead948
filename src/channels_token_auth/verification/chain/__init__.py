"""Verify credentials by the backends of a route, in their lanes."""

from .backend_chain import BackendChain

__all__ = ["BackendChain"]
