"""Check that the class in TENANTS can be used, and that tenants share the library's cache."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from .. import conf
from ..tenants.site import build_tenants

__all__ = ["tenants"]


def tenants() -> Iterator[checks.CheckMessage]:
    """Check the setting TENANTS, if the site has tenants."""
    configuration = conf.configuration()
    if configuration.tenants is None:
        return
    try:
        build_tenants(configuration)
    except ImproperlyConfigured as error:
        yield checks.Error(
            str(error),
            hint="Name a subclass of channels_token_auth.tenants.Tenants that has of_scope(scope),"
            " current() and activate(tenant); help() shows what each must return.",
            id="channels_token_auth.E011",
        )
    # django-tenants documents one that adds the schema of the thread. But the library reads entries
    # in threads of its own, which have another schema than the view that stored them.
    if settings.CACHES.get(configuration.cache, {}).get("KEY_FUNCTION"):
        yield checks.Error(
            f"CACHE is {configuration.cache!r}, which has a KEY_FUNCTION, and TENANTS is set: if"
            " keys depend on the tenant, tickets are not found, and stateless tokens are refused as"
            " after a wiped cache.",
            hint="Name an alias without KEY_FUNCTION: the library's own keys name the tenant.",
            id="channels_token_auth.E012",
        )
