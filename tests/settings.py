"""The Django settings of the test-suite.

The database is the one that the environment variable TEST_DATABASE describes (JSON, as in Django's
DATABASES; `pytest --database=postgresql` sets it), else an SQLite file of this process: in-memory
databases cannot be shared by threads that write.
"""

import json
import os
import tempfile
from pathlib import Path

SQLITE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": ":memory:",
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # No test outlives a power cut: a commit waits for no disk, and writes no second file.
        "init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY",
    },
    "TEST": {
        "NAME": str(Path(tempfile.gettempdir(), f"channels-token-auth-{os.getpid()}.sqlite3"))
    },
}

SECRET_KEY = "for tests only, and long enough for every algorithm that signs with it"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "knox",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.idp.oidc",
    "allauth.usersessions",
    "tests.backends.own_users",
    "channels_token_auth",
]
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]  # allauth does not start without it
DATABASES = {"default": json.loads(os.environ.get("TEST_DATABASE", "null")) or SQLITE}
STATIC_URL = "static/"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CHANNELS_TOKEN_AUTH = {
    "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
}
