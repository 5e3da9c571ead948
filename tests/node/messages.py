"""Messages as another process of the same site sends them."""

from channels_token_auth.cluster import envelope
from channels_token_auth.conf import site_keys

__all__ = ["sealed"]


def sealed(message, **fields):
    """A message of another process; `fields` replace what its envelope has."""
    wrapped = {
        **message,
        "type": envelope.TYPE,
        "version": envelope.VERSION,
        "process": "another",
        **fields,
    }
    return site_keys().sign(envelope.PURPOSE, wrapped)
