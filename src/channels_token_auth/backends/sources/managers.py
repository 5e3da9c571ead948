"""Choose the manager that finds users: the same one that the token's package uses over HTTP.

A site may hide users from one manager and not from another, for example deleted ones.
"""

from typing import Any

from django.contrib.auth import get_user_model

__all__ = ["default_users", "package_users"]


def default_users() -> Any:
    """Return the default manager, which Django's own authentication backend uses."""
    return get_user_model()._default_manager  # noqa: SLF001 - documented as public


def package_users() -> Any:
    """Return the manager `objects`, which token packages use, if the model has one."""
    return getattr(get_user_model(), "objects", None) or default_users()
