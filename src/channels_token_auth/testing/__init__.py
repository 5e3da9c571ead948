"""Test sites that use this library: a client, tokens and a clock.

It works with unittest and with pytest, and imports neither. Nothing in it is for production.
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
