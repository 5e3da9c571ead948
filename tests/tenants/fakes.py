"""Tenants without a database."""

from contextlib import contextmanager

from channels_token_auth.tenants import Tenants

__all__ = ["FakeTenants"]


class FakeTenants(Tenants):
    """Remembers which tenant is active."""

    def __init__(self, current=None):
        self.active = current
        self.by_scope = lambda scope: scope["path"]

    def of_scope(self, scope):
        return self.by_scope(scope)

    def current(self):
        return self.active

    @contextmanager
    def activate(self, tenant):
        before, self.active = self.active, tenant
        yield
        self.active = before
