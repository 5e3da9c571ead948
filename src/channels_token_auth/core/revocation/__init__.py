"""Revocations: which sockets they close, and what of a socket decides it."""

from .described import Described, VerifiedToken
from .revocation import Revocation
from .target import NO_ISSUER, Target

__all__ = ["NO_ISSUER", "Described", "Revocation", "Target", "VerifiedToken"]
