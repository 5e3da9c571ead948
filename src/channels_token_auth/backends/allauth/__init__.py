"""Verify the session tokens and JWTs of django-allauth headless."""

from .backend import AllauthJWTBackend, AllauthSessionTokenBackend

__all__ = ["AllauthJWTBackend", "AllauthSessionTokenBackend"]
