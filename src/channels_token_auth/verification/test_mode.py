"""Tell if a test runs, whose tokens are verified in the thread of the test's transaction."""

from ..django_internals import is_test_environment

__all__ = ["is_on"]

forced: bool | None = None
"""Set by tests of this library: True or False instead of what Django says."""


def is_on() -> bool:
    """Return True between Django's `setup_test_environment` and `teardown_test_environment`.

    A `TestCase` runs in a transaction that no other thread sees, and the next test's database is
    another one: so the library's own thread, batches and caches are off. Nothing that a running
    site does turns this on; its e-mail backend, for example, does not.
    """
    return is_test_environment() if forced is None else forced
