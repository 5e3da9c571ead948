"""Prometheus metrics, in the default registry of prometheus-client.

Importing this module starts them; `channels_token_auth.metrics.urls` does. No label has a value
that a client can choose, and none names a user.
"""

from .collectors import start

__all__: list[str] = []

start()
