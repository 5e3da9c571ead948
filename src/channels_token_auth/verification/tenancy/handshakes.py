"""Find the tenant of a handshake, in the lane of database rows, since it may need a query."""

from collections.abc import Sequence
from contextvars import Context, copy_context
from typing import Any

from ...backends.sources.site_functions import ask_site, name_of
from ...core.asgi_types import Scope
from ...core.close_codes import CloseReason
from ...core.errors import Detail, TokenAuthError
from ...tenants import Tenants
from ..chain.question import put
from ..lanes import ROWS, Onward

__all__ = ["TenantsOfHandshakes"]

UNKNOWN = Detail(
    slug="tenant_unknown",
    remedy="The handshake belongs to no tenant: of_scope() of the class in TENANTS found none."
    " With django-tenants, add the host as a domain of a tenant.",
)


class TenantsOfHandshakes:
    """Finds the tenants of handshakes. `tenants`: those of the site."""

    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    def begin(self, scope: Scope) -> Onward:
        """Return the step whose answer is the key of the tenant, or a TokenAuthError."""
        # With the context, since outer middleware may have stored the tenant in a variable.
        return Onward(ROWS, self.find, (copy_context(), scope))

    def find(self, handshakes: Sequence[tuple[Context, Scope]]) -> Sequence[Any]:
        """Return the key of each handshake's tenant, or a TokenAuthError. Raises nothing."""
        return put(self._find, handshakes, usable=_usable)

    def _find(self, handshakes: Sequence[tuple[Context, Scope]]) -> Sequence[Any]:
        # A copy of the context, which cannot be entered twice, because `put` repeats a failed call.
        of_scope = self._tenants.of_scope
        name = name_of(of_scope)
        return [
            ask_site(context.copy().run, of_scope, scope, name=name)
            for context, scope in handshakes
        ]


def _usable(tenant: Any) -> Any:
    if isinstance(tenant, TokenAuthError) and tenant.code is not CloseReason.TOKEN_INVALID:
        return tenant
    if tenant is None or isinstance(tenant, TokenAuthError):
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=UNKNOWN)
    if not isinstance(tenant, str) or not tenant:
        raise TypeError(f"of_scope() returned a {type(tenant).__name__} instead of a key.")
    return tenant
