"""Provide Prometheus metrics, in the default registry of prometheus-client.

The app imports this module at start-up if prometheus-client is installed, which starts the metrics.
Clients cannot choose the values of labels, and no label names a user.
"""

from .collectors import start
from .zeros import begin_at_zero

__all__: list[str] = []

begin_at_zero()
start()
