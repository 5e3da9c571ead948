"""Debian's Firefox, over WebDriver BiDi: the few commands that a test needs."""

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

__all__ = ["Firefox", "Tab", "firefox"]

PROGRAM = "/usr/bin/firefox-esr"
DEADLINE = 600.0  # it ends what hangs only


class Firefox:
    """A running browser. Commands go one at a time.

    A command that this version does not have skips the test, and the reason names both.
    """

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._numbers = itertools.count(1)
        session = self.command("session.new", capabilities={})
        self.version = session["capabilities"]["browserVersion"]
        # One tab for all pages: each takes processes of its own.
        self._context = self.command("browsingContext.create", type="tab")["context"]

    def command(self, method: str, **params: Any) -> Any:
        """The result of a command of the specification's."""
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._line.recv(timeout=DEADLINE))
            if answer.get("id") == number:
                if answer.get("error") == "unknown command":
                    pytest.skip(f"Firefox {self.version} has no {method}: install a newer one")
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def open(self, url: str) -> "Tab":
        """Return the tab, with this page loaded in place of the one before."""
        return Tab(self, self._context, url)


class Tab:
    """One page."""

    def __init__(self, browser: Firefox, context: str, url: str) -> None:
        self._browser = browser
        self._context = context
        browser.command("browsingContext.navigate", context=context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, or of its promise, by way of JSON."""
        result = self._browser.command(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((it) => JSON.stringify(it) ?? null)",
            target={"context": self._context},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        return json.loads(result["result"].get("value", "null"))

    def set_offline(self, offline: bool) -> None:
        """Take the network away from the page, or give it back."""
        conditions = {"type": "offline"} if offline else None
        self._browser.command(
            "emulation.setNetworkConditions",
            networkConditions=conditions,
            contexts=[self._context],
        )

    def leave_and_come_back(self) -> None:
        """To another page and back, which shows this one as it was left."""
        self._browser.command(
            "browsingContext.navigate", context=self._context, url="about:blank", wait="complete"
        )
        self._browser.command("browsingContext.traverseHistory", context=self._context, delta=-1)


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """A browser without a window, in an empty profile; it ends with us, even if we are killed."""
    command = ["setpriv", "--pdeathsig=KILL", PROGRAM, "--headless", "--no-remote"]
    command += ["--profile", str(profile), "--remote-debugging-port=0"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"}
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environ, text=True, **pipes) as process:
        try:
            output = ""
            for line in process.stderr or ():
                output += line
                if found := re.search(r"BiDi listening on (ws://\S+)", line):
                    break
            else:
                raise RuntimeError(f"Firefox does not start:\n{output}")
            # No pings: a browser that stands still for 20 s answers none, and is not lost.
            waits = {"open_timeout": DEADLINE, "ping_interval": None}
            with connect(f"{found[1]}/session", max_size=None, **waits) as line_to_it:
                yield Firefox(line_to_it)
        finally:
            process.kill()
