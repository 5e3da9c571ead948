"""Keep the tenants of a site apart: a token opens sockets of its own tenant only.

Name a subclass of `Tenants` in the setting `TENANTS`. For django-tenants there is
`channels_token_auth.tenants.schemas.SchemaTenants`.
"""

from .base import Tenants

__all__ = ["Tenants"]
