"""Revoked tokens that no database row records (JWTs, for example), in the shared Django cache."""

from .denials import Denials
from .denylist import SLACK, Denylist
from .fresh_tokens import FirstVerified, first_verified
from .store import CacheUnavailable, cache_outages, is_in_memory, is_shared

__all__ = [
    "SLACK",
    "CacheUnavailable",
    "Denials",
    "Denylist",
    "FirstVerified",
    "cache_outages",
    "first_verified",
    "is_in_memory",
    "is_shared",
]
