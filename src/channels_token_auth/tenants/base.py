"""Define how a site separates its tenants."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager

from ..core.asgi_types import Scope
from ..core.authentication import Authentication

__all__ = ["Tenants"]


class Tenants(ABC):
    """The tenants of a site, each known by a key, such as the name of its schema.

    Built once for each route, without arguments. A key is a text that is not empty, is not secret,
    and never changes: sockets, tickets and denials are bound to it.
    """

    @abstractmethod
    def of_scope(self, scope: Scope) -> str | None:
        """Return the key of the tenant that a handshake belongs to; None to refuse it.

        Runs in a thread of the library, with the context variables of the handshake, and may
        query. It refuses as the JWT backend's option `user` does, for example with DoesNotExist. If
        it raises any other exception, the handshake is answered "unavailable".
        """

    @abstractmethod
    def current(self) -> str | None:
        """Return the key of the tenant of the calling code; None outside all tenants.

        Views, commands and signals revoke and list the tokens of this tenant only.
        """

    def admits(self, authentication: Authentication, tenant: str) -> bool:
        """Return True if a token without a row belongs to the tenant.

        All tenants share the keys of stateless tokens, and the servers that introspect tokens: a
        token of user 1 would be valid for the user 1 of every tenant. So it has to name its tenant,
        by default in the label `tenant`, which a backend's option `labels` takes from a claim.
        """
        # A token without the label belongs to no tenant: a key is never None.
        return authentication.labels.get("tenant") == tenant

    @abstractmethod
    def activate(self, tenant: str) -> AbstractContextManager[object]:
        """Return a context manager in which the queries of this thread use the tenant's data."""
