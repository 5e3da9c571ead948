"""Signals that are connected once Django has started."""

import subprocess
import sys

WITHOUT_SESSIONS = """
import django
from django.conf import settings

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
)
django.setup()

from django.db.models.signals import post_delete
from rest_framework.authtoken.models import Token

print(post_delete.has_listeners(Token))
"""


def test_deleted_tokens_are_noticed_on_a_site_without_sessions():
    command = [sys.executable, "-c", WITHOUT_SESSIONS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n", "")
