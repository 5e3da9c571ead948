"""The wire project on several nodes: what they share, and where they differ, by environment."""

import json
import os

from tests.wire.project.settings import *  # noqa: F403 - settings are laid over settings
from tests.wire.project.settings import CHANNELS_TOKEN_AUTH

CHANNEL_LAYERS = {"default": json.loads(os.environ["CLUSTER_LAYER"])}
CHANNELS_TOKEN_AUTH = CHANNELS_TOKEN_AUTH | {
    "SWEEP_INTERVAL": 1,
    "SWEEP_GRACE": json.loads(os.environ.get("CLUSTER_GRACE", "null")),
    "VERIFIED_CACHE_SECONDS": 1,
}
ROOT_URLCONF = "tests.cluster.project.urls"
