"""Detect a running test, whose tokens are verified in the thread of the test's transaction."""

from ..django_internals import is_test_environment

__all__ = ["is_on"]

forced: bool | None = None
"""Set by tests of this library: True or False replaces the detection."""


def is_on() -> bool:
    """Return True between Django's `setup_test_environment` and `teardown_test_environment`.

    A `TestCase` runs in a transaction that no other thread sees, and the next test's database is
    another one. So the library's own threads, batches and caches are off. No setting of a running
    site turns this on; an e-mail backend for tests, for example, does not.
    """
    return is_test_environment() if forced is None else forced
