"""A browser that lacks a command is reported as such: the test is skipped and says why."""

import json

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import pytest_runtest_call
from tests.browser.firefox import Firefox


class OldFirefox:
    """A connection to a browser that can open its tab, and no more."""

    def send(self, message):
        self.asked = json.loads(message)

    def recv(self, timeout):
        results = {
            "session.new": {"capabilities": {"browserVersion": "140.0"}},
            "browsingContext.create": {"context": "1"},
        }
        answer = {"type": "error", "error": "unknown command", "message": "?"}
        if result := results.get(self.asked["method"]):
            answer = {"type": "success", "result": result}
        return json.dumps({"id": self.asked["id"], **answer})


def test_command_that_firefox_does_not_have_is_named_with_its_version():
    # All of it in the block: a command that is missed outside would skip this test, too.
    with pytest.raises(pytest.skip.Exception, match=r"Firefox 140\.0 has no emulation\.set"):
        Firefox(OldFirefox()).command("emulation.setNetworkConditions")


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("Protocol error (Page.fly): 'Page.fly' wasn't found", pytest.skip.Exception),
        ("Timeout 15000ms exceeded", Error),
    ],
)
def test_command_that_chromium_does_not_have_is_named(request, message, outcome):
    running = pytest_runtest_call(request.node)
    next(running)
    with pytest.raises(outcome):
        running.throw(Error(message))
