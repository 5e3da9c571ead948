"""Read Django's settings and turn them into frozen values. No other package reads settings.

They are read on first use and cached until a setting changes, so that `override_settings` works.
"""

from .backend_spec import BackendSpec
from .configuration import (
    Configuration,
    configuration,
    derived,
    given,
    override,
    problems,
    raw_names,
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
    "raw_names",
    "secret_names",
    "site_keys",
]
