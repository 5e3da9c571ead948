"""Report that Django's test environment is set up in a process that runs no tests."""

import sys
from collections.abc import Iterator

from django.core import checks

from ..django_internals import is_test_environment

__all__ = ["test_environment"]

RUNNERS = ("django.test.runner", "pytest")
"""Modules of test runners: one of them is loaded in a process that runs tests."""


def test_environment() -> Iterator[checks.CheckMessage]:
    """Warn if code has called `setup_test_environment` outside of a test run."""
    # Django's test runner runs the system checks too, after it has set up the environment.
    if is_test_environment() and not any(name in sys.modules for name in RUNNERS):
        yield checks.Warning(
            "setup_test_environment() was called, and no tests run: tokens are verified one by one"
            " in the thread of the site's views, and no verdict is cached.",
            hint="Call teardown_test_environment(), or leave it to the test runner.",
            id="channels_token_auth.W016",
        )
