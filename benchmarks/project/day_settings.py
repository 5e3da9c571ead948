"""Settings that only `bench day` uses: tokens with rows, JWTs, and a shared cache."""

import os

from benchmarks.people import ISSUER, SECRET_KEY

__all__ = ["backends_and_times", "shared_cache"]


def shared_cache(url):
    """Return CACHES for a Redis, as docs/how-to/deployment/several-nodes.md recommends."""
    redis = "django.core.cache.backends.redis.RedisCache"
    return {"default": {"BACKEND": redis, "LOCATION": url, "OPTIONS": {"socket_timeout": 2}}}


def backends_and_times():
    """Return keys of CHANNELS_TOKEN_AUTH."""
    options = {"algorithms": ["HS256"], "key": SECRET_KEY, "issuer": ISSUER}
    return {
        "BACKENDS": [
            {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"},
            {"BACKEND": "channels_token_auth.backends.jwt.JWTBackend", "OPTIONS": options},
        ],
        "EXPIRY_WARNING": float(os.environ["BENCH_EXPIRY_WARNING"]),
        "VERIFIED_CACHE_SECONDS": min(10.0, float(os.environ["BENCH_SWEEP_INTERVAL"])),
    }
