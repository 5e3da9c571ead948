"""Test sites that use this library, with a client, fake tokens and a clock.

The package works with unittest and with pytest, and imports neither. It is not for production.
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
