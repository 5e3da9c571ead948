"""Tickets: issued over HTTP to the owner of a token, and redeemed once in an opening handshake."""

from .store import LIFETIME, Found, Tickets

__all__ = ["LIFETIME", "Found", "Tickets"]
