"""Verify tokens separately for each tenant of the site."""

from .backend import of_tenants
from .handshakes import TenantsOfHandshakes

__all__ = ["TenantsOfHandshakes", "of_tenants"]
