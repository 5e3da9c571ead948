"""The smallest site with tokens, for programs that tests start without the tests' settings."""

from typing import Any

import django
from django.conf import settings

__all__ = ["set_up"]


def set_up(**others: Any) -> None:
    """Start Django with REST framework's tokens, and with other settings by name."""
    settings.configure(
        SECRET_KEY="k" * 50,
        CHANNELS_TOKEN_AUTH={
            "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "rest_framework.authtoken",
            "channels_token_auth",
        ],
        **others,
    )
    django.setup()
