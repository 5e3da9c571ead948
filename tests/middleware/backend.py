"""A token backend with one token."""

from tests.verification.backends import FakeBackend


class OneTokenBackend(FakeBackend):
    def __init__(self):
        super().__init__("g00d-canary")
