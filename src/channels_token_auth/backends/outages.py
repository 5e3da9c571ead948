"""Report outages of the servers that backends ask over HTTP: key servers and introspection."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.core.signals import setting_changed

from ..observability.outage_watch import OutageWatch

__all__ = ["introspection_outages", "key_outages", "public_url"]

UNREADABLE = "a URL that cannot be read"
"""Named in place of the text that should be a URL."""

key_outages = OutageWatch(
    "keys",
    began="The keys of %r cannot be fetched: tokens with other keys are refused with 4503. %s",
    ended="The keys of %r can be fetched again.",
)

introspection_outages = OutageWatch("introspection")
"""Without log texts: its client logs each kind of failure once, not only the first."""


def public_url(url: str) -> str:
    """Return a URL without its user, query and fragment, any of which may contain a secret."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read only here, so that a wrong one is an error here
    except ValueError:
        # A password with a "/" or "?" in it ends where the host of a correct URL would end.
        return UNREADABLE
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _forget(setting: str, **_: Any) -> None:
    if setting == "CHANNELS_TOKEN_AUTH":  # a test, whose backends ask other servers
        key_outages.reset()
        introspection_outages.reset()


setting_changed.connect(_forget, dispatch_uid=f"{__name__}._forget")
