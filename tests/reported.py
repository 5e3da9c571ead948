"""A socket for the events of a test, with only the facts that the test names."""

from channels_token_auth.observability.events import ConnectionFacts

__all__ = ["Reported"]

NOTHING = dict.fromkeys(ConnectionFacts.__annotations__)


class Reported:
    """The connection of an event. Facts that are not named are None."""

    def __init__(self, **facts):
        self._facts = NOTHING | {"connection_id": "c", "node": "n", "path": "/"} | facts
        self.backend, self.location = self._facts["backend"], self._facts["location"]

    def facts(self):
        """Return a copy, which its caller may change."""
        return dict(self._facts)
