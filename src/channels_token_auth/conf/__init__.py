"""Read Django's settings, in this package alone, and turn them into frozen values.

They are read late and cached until a setting changes, so that `override_settings` has its effect.
"""

from .backend_spec import BackendSpec
from .configuration import (
    Configuration,
    configuration,
    derived,
    given,
    override,
    problems,
    secret_names,
    site_keys,
)
from .identity_providers import IdentityProvider
from .problem import NAME, Problem

__all__ = [
    "NAME",
    "BackendSpec",
    "Configuration",
    "IdentityProvider",
    "Problem",
    "configuration",
    "derived",
    "given",
    "override",
    "problems",
    "secret_names",
    "site_keys",
]
