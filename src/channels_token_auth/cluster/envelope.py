"""Add sender, version and signature to messages, and check them on receipt.

Two sites may share one channel layer, so a message without this site's signature is ignored. During
a rolling deploy, nodes of two releases run at the same time. Each version can read the messages of
its predecessor; those of any other version are ignored. So are messages that are repeated.
"""

import logging
from collections.abc import Mapping
from typing import Any

from ..conf import site_keys
from ..observability.events import IgnoredBecause, MessageIgnored, emit
from ..observability.throttle import Throttle
from .freshness import Freshness, stamp
from .local_nodes import process_id
from .message import Message

__all__ = ["VERSION", "open_", "seal"]

VERSION = 1
"""The version of the messages. Raise it when a node of the previous release would act wrongly."""

TYPE = "token_auth.message"
"""The type of the message, which channel layers require."""

PURPOSE = "message"

_HINTS: dict[IgnoredBecause, str] = {
    "foreign": "Another site uses the same channel layer, or processes of this site have different"
    " SECRET_KEYs. Give each site its own prefix or database.",
    "version": "Nodes of another release are running.",
    "late": "They are older than five minutes, or of a release without times: synchronize the"
    " clocks of the nodes, and end the nodes of the other release.",
    "repeated": "The layer has delivered them twice, or somebody who can write to it repeats them.",
}
logger = logging.getLogger("channels_token_auth")
throttle = Throttle()


def seal(message: Message) -> dict[str, Any]:
    """Return the message with its envelope, to be sent."""
    sealed = {**message, **stamp(), "type": TYPE, "version": VERSION, "process": process_id()}
    return site_keys().sign(PURPOSE, sealed)


def open_(sealed: Mapping[str, Any], freshness: Freshness) -> Message | None:
    """Return the message, or None if this process must ignore it. Raises nothing.

    A process also receives its own messages, which it has already handled. `freshness`: that of the
    receiver.
    """
    # Before the signature, which costs more: a forged id only makes this process ignore the
    # message.
    if sealed.get("process") == process_id():
        return None
    # First: no value of an unsigned message can be trusted, not even its version.
    if not site_keys().verify(PURPOSE, sealed):
        _ignore("foreign")
    elif sealed.get("version") not in (VERSION - 1, VERSION):
        _ignore("version")
    elif problem := freshness.problem(sealed):
        _ignore(problem)
    else:
        return sealed
    return None


def _ignore(reason: IgnoredBecause) -> None:
    emit(MessageIgnored(reason=reason))
    if throttle.allows(reason):
        logger.warning("Ignored messages on the channel layer. %s", _HINTS[reason])
