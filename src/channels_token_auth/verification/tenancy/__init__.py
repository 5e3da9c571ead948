"""Verify tokens separately for each tenant of the site."""

from .backend import TenantBackend
from .handshakes import TenantsOfHandshakes

__all__ = ["TenantBackend", "TenantsOfHandshakes"]
