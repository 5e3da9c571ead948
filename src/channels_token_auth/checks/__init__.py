"""System checks: report wrong settings, and the risk of settings looser than their defaults."""

from typing import Any

from django.core import checks

from .. import conf
from .application import application
from .backends import each_backend, order
from .caches import cache
from .layers import layer
from .limits import limits
from .policy import loosened
from .providers import providers
from .servers import development_server, installed_servers
from .tenants import tenants
from .test_environment import test_environment
from .times import clamped

__all__ = ["check_settings"]


# Without `deploy=True`: `check` and `runserver` run it, and not only `check --deploy`.
@checks.register(checks.Tags.security)
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Return every message about `CHANNELS_TOKEN_AUTH`, and about caches, layers and servers."""
    wrong = [
        checks.Error(
            str(problem),
            hint='Only "BACKENDS" is required; all other entries have defaults.'
            ' The smallest setting: CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND":'
            ' "channels_token_auth.backends.drf.DRFTokenBackend"}]}'
            # The messages about other entries name the remedy themselves.
            if problem.name in ("", "BACKENDS")
            else None,
            id="channels_token_auth.E001",
        )
        for problem in conf.problems()
    ]
    # The other checks read the configuration, which cannot be built from wrong settings.
    if wrong:
        return [*wrong]
    return [
        *each_backend(),
        *order(),
        *providers(),
        *cache(),
        *layer(),
        *limits(),
        *loosened(),
        *clamped(),
        *tenants(),
        *installed_servers(),
        *development_server(),
        *application(),
        *test_environment(),
    ]
