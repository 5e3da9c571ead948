"""Settings of the project that the six servers run; what differs per run comes by environment."""

import json
import os

MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

ALLOWED_HOSTS = ["127.0.0.1", "localhost", ".example.com"]
ASGI_APPLICATION = "tests.wire.project.asgi.application"
CACHES = {"default": json.loads(os.environ.get("WIRE_CACHE", "null")) or MEMORY}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CHANNELS_TOKEN_AUTH = {
    "LOCATIONS": ["header", "subprotocol", "ticket"],
    "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
    # So that each handshake asks the database, whose outages are watched.
    "VERIFIED_CACHE_SECONDS": 0,
    # No sweep during a run: its queries would be counted as those of a handshake.
    "SWEEP_INTERVAL": 24 * 60 * 60,
    # A busy machine refuses nobody: whoever waits for a verdict in vain has the policy "hasty".
    "VERIFY_TIMEOUT": 60,
    **json.loads(os.environ.get("WIRE_TOKEN_AUTH", "{}")),
}
DATABASES = {"default": json.loads(os.environ["WIRE_DATABASE"])}
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "channels_token_auth",
]
ROOT_URLCONF = "tests.wire.project.urls"
SECRET_KEY = "of no worth: these servers live for one test run on the loopback interface"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("WIRE_LOG_LEVEL", "INFO")},
}
