"""Verify JWTs by keys in the settings or from a key server."""

from .backend import JWTBackend

__all__ = ["JWTBackend"]
