"""Record how many seconds of processor time each test takes, with its fixtures and programs.

Unlike the time on the clock it does not depend on what else runs on the machine. A program counts
where it ends: one that several tests share counts for the last of them. The JUnit report keeps the
number of each test, as a property.
"""

import os

import pytest

from tests import launcher

__all__ = ["PROPERTY"]

PROPERTY = "processor"
_before = pytest.StashKey[float]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item):
    item.stash[_before] = seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "teardown":
        report.user_properties.append((PROPERTY, f"{seconds() - item.stash[_before]:.3f}"))
    return report


def seconds() -> float:
    """Return the processor time of this process and of all programs that it has seen end."""
    user, system, of_children, system_of_children, _ = os.times()
    return user + system + of_children + system_of_children + launcher.seconds()
