"""The example on several nodes: PostgreSQL, and one Redis for messages and for counters."""

import json
import os

from config.settings import *  # noqa: F403 - settings are laid over settings
from config.settings import CHANNELS_TOKEN_AUTH

REDIS = os.environ["CLUSTER_REDIS"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS,
        "OPTIONS": {"socket_timeout": 2},  # else a view waits for as long as Redis hangs
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS], "group_expiry": 300},
    },
}
CHANNELS_TOKEN_AUTH = CHANNELS_TOKEN_AUTH | {"SWEEP_INTERVAL": 10}
DATABASES = {"default": json.loads(os.environ["CLUSTER_DATABASE"])}
