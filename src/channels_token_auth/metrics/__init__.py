"""Prometheus metrics, in the default registry of prometheus-client.

The app imports this module at start-up if prometheus-client is installed, and that starts them. No
label has a value that a client can choose, and none names a user.
"""

from .collectors import start

__all__: list[str] = []

start()
