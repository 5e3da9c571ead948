"""Let each test find its errors in the log, whatever another test has logged before it."""

import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    # Not imported: a run of the core's tests has no log.
    if log := sys.modules.get("channels_token_auth.observability.error_log"):
        log.throttle.reset()
