"""Verify tokens by asking their issuer (RFC 7662)."""

from .backend import IntrospectionBackend

__all__ = ["IntrospectionBackend"]
