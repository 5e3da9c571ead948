"""Revocations: the sockets that they close, and the facts of a socket that they compare."""

from .described import Described, VerifiedToken
from .revocation import Revocation
from .target import NO_ISSUER, Target

__all__ = ["NO_ISSUER", "Described", "Revocation", "Target", "VerifiedToken"]
