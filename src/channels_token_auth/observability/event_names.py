"""The vocabularies in which audit records name events."""

from enum import StrEnum

__all__ = ["EventNames"]


class EventNames(StrEnum):
    """The setting `AUDIT_EVENT_NAMES`."""

    SIGNALS = "signals"
    """The names of the library's signals."""
    OWASP = "owasp"
    """The names of OWASP's Logging Vocabulary, for events that it knows."""
