"""Settings for all contestants alike; what differs comes by environment."""

import json
import os

from benchmarks.people import ISSUER, SECRET_KEY
from benchmarks.project.day_settings import backends_and_times, shared_cache
from benchmarks.project.everything import (
    EVERYTHING,
    features,
    limits,
    switch_metrics_off,
    write_records,
)

__all__ = ["SECRET_KEY"]

ALLOWED_HOSTS = ["127.0.0.1"]
LAYER = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
CHANNEL_LAYERS = {"default": json.loads(os.environ.get("BENCH_CHANNEL_LAYER", "null")) or LAYER}
BACKEND = os.environ.get("BENCH_BACKEND", "drf.DRFTokenBackend")
CHANNELS_TOKEN_AUTH = {
    "BACKENDS": [{"BACKEND": f"channels_token_auth.backends.{BACKEND}"}],
    "LIMITS": json.loads(os.environ.get("BENCH_LIMITS", "{}")),
    "SWEEP_INTERVAL": float(os.environ.get("BENCH_SWEEP_INTERVAL", "60")),
    "VERIFIED_CACHE_SECONDS": float(os.environ.get("BENCH_VERIFIED_CACHE_SECONDS", "10")),
}
if "BENCH_WAITING" in os.environ:
    CHANNELS_TOKEN_AUTH["LIMITS"] = {"WAITING": {"node": int(os.environ["BENCH_WAITING"])}}
if "BENCH_INTROSPECTION" in os.environ:
    options = {"url": os.environ["BENCH_INTROSPECTION"], "bearer_token": "benchmark"}
    introspection = "channels_token_auth.backends.introspection.IntrospectionBackend"
    CHANNELS_TOKEN_AUTH["BACKENDS"].append({"BACKEND": introspection, "OPTIONS": options})
if "BENCH_PROVIDER" in os.environ:
    by = {"ALGORITHMS": ["HS256"], "KEY": SECRET_KEY, "ISSUER": ISSUER}
    options = {name.lower(): value for name, value in by.items()}
    CHANNELS_TOKEN_AUTH |= {
        "BACKENDS": [
            {"BACKEND": "channels_token_auth.backends.jwt.JWTBackend", "OPTIONS": options}
        ],
        "IDENTITY_PROVIDERS": [
            by | {"AUDIENCE": "web", "BACKENDS": ["jwt"], "ENDPOINTS": ["backchannel-logout"]}
        ],
    }
    redis = {"BACKEND": "django.core.cache.backends.redis.RedisCache"}
    if "CONFIG" in CHANNEL_LAYERS["default"]:
        redis["LOCATION"] = CHANNEL_LAYERS["default"]["CONFIG"]["hosts"][0]
        CACHES = {"default": redis}
if "BENCH_DAY_REDIS" in os.environ:
    CACHES = shared_cache(os.environ["BENCH_DAY_REDIS"])
    CHANNELS_TOKEN_AUTH |= backends_and_times()
LOGGING_CONFIG = None
FEATURES = features(EVERYTHING or "off")
if EVERYTHING:
    CHANNELS_TOKEN_AUTH["LIMITS"] = limits(FEATURES)
if "audit" in FEATURES:
    write_records()
if "metrics" not in FEATURES:
    switch_metrics_off()
DATABASES = {
    "default": json.loads(os.environ["BENCH_DATABASE"])
    | {"CONN_MAX_AGE": int(os.environ.get("BENCH_CONN_MAX_AGE", "3600"))}
}
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework.authtoken",
    "knox",
]
if "BENCH_WITHOUT_US" not in os.environ:
    INSTALLED_APPS.append("channels_token_auth")
ROOT_URLCONF = "benchmarks.project.urls"
USE_TZ = True
