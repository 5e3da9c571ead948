"""Show where a test hangs, and end the run.

pytest has `faulthandler_timeout` for it, but starts and ends a thread for each test. This starts
one a minute.

A shell starts a run in the background with Ctrl-C ignored. A program that a test interrupts would
inherit that, and go on.
"""

import faulthandler
import os
import signal
import sys
import time

import pytest

# Seconds since the thread was started. The fixtures of a test count too: one builds the docs, which
# takes half a minute here, and a slow machine ten times as long.
LIMIT = "900"
AGAIN = 60.0


class _Watch:
    def __init__(self, limit: float) -> None:
        self._limit, self._due = limit, 0.0
        self._errors = os.dup(sys.__stderr__.fileno())  # not what a test's output goes to

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        if (now := time.monotonic()) >= self._due:
            self._due = now + AGAIN
            faulthandler.dump_traceback_later(self._limit, file=self._errors, exit=True)

    def pytest_exception_interact(self) -> None:
        self._due = 0.0  # pytest cancels it, for a debugger

    def pytest_unconfigure(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        os.close(self._errors)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("hang_limit", "end a run whose test takes more seconds", default=LIMIT)


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(_Watch(float(config.getini("hang_limit"))))
