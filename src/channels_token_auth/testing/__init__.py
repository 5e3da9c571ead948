"""For tests of sites that use this library, and for its own: a client, tokens and a clock.

Of use with unittest and pytest alike, and knows neither. Nothing in it is for production.
"""

from .clock import FrozenClock, frozen_clock
from .commits import apublish_revocations, publish_revocations
from .communicator import TokenWebsocketCommunicator
from .tokens import FakeTokenBackend, FakeTokens, fake_tokens

__all__ = [
    "FakeTokenBackend",
    "FakeTokens",
    "FrozenClock",
    "TokenWebsocketCommunicator",
    "apublish_revocations",
    "fake_tokens",
    "frozen_clock",
    "publish_revocations",
]
