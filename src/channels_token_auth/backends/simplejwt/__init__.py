"""Verify the access tokens of djangorestframework-simplejwt."""

from .backend import SimpleJWTBackend

__all__ = ["SimpleJWTBackend"]
