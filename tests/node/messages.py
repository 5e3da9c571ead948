"""Messages as another process of the same site sends them."""

from channels_token_auth.cluster import envelope
from channels_token_auth.cluster.freshness import stamp
from channels_token_auth.conf import site_keys

__all__ = ["sealed"]


def sealed(message, **fields):
    """Return a message of another process.

    `fields` replace what its envelope has; `...` removes it.
    """
    wrapped = {
        **stamp(),
        **message,
        "type": envelope.TYPE,
        "version": envelope.VERSION,
        "process": "another",
        **fields,
    }
    present = {name: value for name, value in wrapped.items() if value is not ...}
    return site_keys().sign(envelope.PURPOSE, present)
