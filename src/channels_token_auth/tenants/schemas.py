"""Support django-tenants, where each tenant has a PostgreSQL schema and is found by its domain."""

from contextlib import AbstractContextManager

from django.conf import settings
from django.db import connection
from django_tenants.utils import get_tenant_domain_model, remove_www, schema_context

from ..core.asgi_types import Scope
from ..core.handshake.scope import read_headers
from .base import Tenants

__all__ = ["SchemaTenants"]


class SchemaTenants(Tenants):
    """The tenants of django-tenants. The key of a tenant is the name of its schema."""

    def of_scope(self, scope: Scope) -> str | None:
        """Return the schema of the Host's domain, found as django-tenants' middleware does it."""
        domain = get_tenant_domain_model().objects.select_related("tenant")
        found = domain.filter(domain=remove_www(_hostname(scope))).first()
        return None if found is None else str(found.tenant.schema_name)

    def current(self) -> str | None:
        """Return the schema of this thread's connection: "public" outside all tenants."""
        return str(connection.schema_name)  # type: ignore[attr-defined]  # of its own engine

    def activate(self, tenant: str) -> AbstractContextManager[object]:
        """Set the schema of this thread's connection."""
        # It restores the former schema at its end: the thread's next handshake may be of another
        # tenant.
        context: AbstractContextManager[object] = schema_context(tenant)
        return context


def _hostname(scope: Scope) -> str:
    """Return the host that the client asked for, as `HttpRequest.get_host` reads it."""
    # Two Host headers are ambiguous (RFC 9112 §3.2): no tenant is found for them.
    headers = read_headers(scope)
    hosts = [value for name, value in headers if name == b"host"]
    if settings.USE_X_FORWARDED_HOST:
        hosts = [value for name, value in headers if name == b"x-forwarded-host"] or hosts
    # Any byte can be read as Latin-1. A Host that is not ASCII matches no domain, and raises
    # nothing.
    host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
    if host.startswith("["):  # an IPv6 address has colons of its own
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")
