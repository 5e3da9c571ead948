"""Put messages into an envelope: who sent it, in which version, signed with the site's key.

Two sites may share one channel layer. A message that this site did not sign is ignored, and so is
one of a version that this process cannot read: nodes of two releases run side by side in a rolling
deploy. Each version reads its predecessor.
"""

import logging
from collections.abc import Mapping
from typing import Any

from ..conf import site_keys
from ..observability.events import MessageIgnored, emit
from ..observability.throttle import Throttle
from .local_nodes import process_id
from .message import Message

__all__ = ["VERSION", "open_", "seal"]

VERSION = 1
"""The version of the messages. Raise it when a node of the previous release would act wrongly."""

TYPE = "token_auth.message"
"""The type that a channel layer requires (Channels names consumers' methods by it)."""

PURPOSE = "message"

_HINTS = {
    "foreign": "Another site uses the same channel layer, or processes of this site have different"
    " SECRET_KEYs. Give each site its own prefix or database.",
    "version": "Nodes of another release are running.",
}
logger = logging.getLogger("channels_token_auth")
_throttle = Throttle()


def seal(message: Message) -> dict[str, Any]:
    """Return the message as it travels."""
    sealed = {**message, "type": TYPE, "version": VERSION, "process": process_id()}
    return site_keys().sign(PURPOSE, sealed)


def open_(sealed: Mapping[str, Any]) -> Message | None:
    """Return the message, or None where it is not for this process. Raises nothing.

    Its own messages come back to a process, which has acted on them already.
    """
    if sealed.get("process") == process_id():
        return None
    if not site_keys().verify(PURPOSE, sealed):
        _ignore("foreign")
    elif sealed.get("version") not in (VERSION - 1, VERSION):
        _ignore("version")
    else:
        return sealed
    return None


def _ignore(reason: str) -> None:
    emit(MessageIgnored(reason=reason))
    if _throttle.allows(reason):
        logger.warning("Ignored messages on the channel layer. %s", _HINTS[reason])
