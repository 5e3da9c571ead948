"""A server that never runs `check` hears of a mistake once, when it starts."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_token_auth.middleware import TokenAuthMiddlewareStack
from tests import launcher

DRF = {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}
ASGI = """
from django.conf import settings

settings.configure(
    SECRET_KEY="k" * 50,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework.authtoken",
    ],
    CHANNELS_TOKEN_AUTH={"BACKENDS": [
        {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}
    ]},
)
from django.core.asgi import get_asgi_application

application = get_asgi_application()
from channels_token_auth.middleware import TokenAuthMiddlewareStack

TokenAuthMiddlewareStack(application)
"""


async def application(scope, receive, send):
    """Never called here."""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ANONYMOUS": True, "LOCATIONS": ["first_message"]}, "ANONYMOUS"),
        ({"ALLOWED_ORIGINS": ["example.com"]}, "ALLOWED_ORIGINS"),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, "no.such.Backend"),
        ({"BACKENDS": []}, "BACKENDS"),
        ({"LOCATION": ["header"]}, "LOCATION"),
    ],
)
def test_wrong_setting_is_named_when_the_stack_is_built(settings, given, named):
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF]} | given
    with pytest.raises(ImproperlyConfigured, match=named):
        TokenAuthMiddlewareStack(application)


def test_wrong_argument_is_named_when_the_stack_is_built():
    with pytest.raises(ImproperlyConfigured, match="refusal"):
        TokenAuthMiddlewareStack(application, refusal="drop")


def test_app_that_is_not_installed_is_named_when_the_stack_is_built():
    done = launcher.run_code(ASGI)
    assert done.returncode == 1
    assert 'ImproperlyConfigured: Add "channels_token_auth" to INSTALLED_APPS' in done.stderr
