"""Build the tenants of the settings, and bind users and targets to the caller's tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from ..conf import Configuration, derived
from ..core.identity import UserKey, of_tenant, without_tenant
from ..core.revocation import Target
from .base import Tenants

__all__ = [
    "build_tenants",
    "here",
    "in_other_threads",
    "in_tenant",
    "site_tenants",
    "sockets_here",
    "target_here",
]


def build_tenants(configuration: Configuration) -> Tenants | None:
    """Build the class that `TENANTS` names; None if the site has no tenants."""
    path = configuration.tenants
    if path is None:
        return None
    try:
        tenants = import_string(path)()
    # TypeError: an abstract method is missing, or the class takes arguments.
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        sentence = f'CHANNELS_TOKEN_AUTH["TENANTS"]: {path!r} cannot be used: {error}'
        raise ImproperlyConfigured(sentence) from error
    if not isinstance(tenants, Tenants):
        raise ImproperlyConfigured(
            f'CHANNELS_TOKEN_AUTH["TENANTS"]: {path!r} is not a subclass of'
            " channels_token_auth.tenants.Tenants: inherit it."
        )
    return tenants


site_tenants = derived(build_tenants)
"""Return the tenants of the settings: the same object until a setting changes."""


# Without a default: None is a value, for a caller outside all tenants.
_of_caller: ContextVar[str | None] = ContextVar("channels_token_auth_tenant")


def here() -> str | None:
    """Return the key of the caller's tenant; None outside all, or if the site has no tenants."""
    tenants = site_tenants()
    if tenants is None:
        return None
    # A context variable without a default cannot be asked whether it is set, but a context can.
    return _of_caller.get() if _of_caller in copy_context() else tenants.current()


@contextmanager
def in_other_threads() -> Iterator[None]:
    """Let `here` return the same in an event loop that this thread starts and waits for.

    The code in that loop runs in other threads, whose database connections have no tenant.
    """
    token = _of_caller.set(here())
    try:
        yield
    finally:
        _of_caller.reset(token)


def in_tenant(user: UserKey, *, may_be_outside: bool = False) -> UserKey:
    """Return the key, bound to the caller's tenant: it means only users of this tenant then."""
    return replace(user, kind=_kind_here(user.kind, may_be_outside=may_be_outside))


def target_here(user: UserKey | None, *, may_be_outside: bool = False, **values: Any) -> Target:
    """Return a target that covers sockets of the caller's tenant only; with a user, only theirs.

    Raises TypeError where the site has tenants and the caller works for none: a key would name
    users of every tenant. With `may_be_outside`, the target covers nothing then.
    """
    kind = _kind_here(user.kind if user else None, may_be_outside=may_be_outside)
    return Target(user_id=user.key if user else None, user_kind=kind, **values)


def sockets_here(user: UserKey | None, **values: Any) -> Target:
    """Return a target as `target_here` does, for code that revokes nothing.

    Outside all tenants, and without a user, it covers sockets of every tenant.
    """
    if user is None and here() is None:
        return Target(**values)
    return target_here(user, **values)


def _kind_here(kind: str | None, *, may_be_outside: bool) -> str | None:
    # The kind of a verified token's user names its tenant already.
    if site_tenants() is None or without_tenant(kind)[1] is not None:
        return kind
    tenant = here()
    if tenant is None and not may_be_outside:
        raise TypeError(
            "This code runs outside all tenants, and several tenants may have a user with this key."
            " Call it inside the tenant's context, such as django-tenants' `tenant_context`."
        )
    # No tenant has an empty key, so that such a target covers nothing.
    return of_tenant(kind, tenant or "")
