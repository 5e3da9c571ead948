"""Do in a project what a page tells its reader to do in a browser."""

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.client.node import NODE

__all__ = ["PASSWORD", "Admin", "Console"]

PASSWORD = "swordfish"
DEADLINE = 600.0  # it ends what hangs only


class Admin:
    """Django's admin, as a superuser named ada uses it."""

    def __init__(self, base: str) -> None:
        self.base = f"http://{base}"
        self.session = requests.Session()
        self.post("/admin/login/", username="ada", password=PASSWORD, next="/admin/")

    def post(self, path: str, **form: str) -> str:
        """Fill in and send the form of a page."""
        url = self.base + path
        self.session.get(url, timeout=DEADLINE).raise_for_status()
        form["csrfmiddlewaretoken"] = self.session.cookies["csrftoken"]
        answer = self.session.post(url, data=form, headers={"Referer": url}, timeout=DEADLINE)
        answer.raise_for_status()
        return answer.text

    def delete_token(self) -> None:
        """Delete the only token of Django REST framework."""
        page = self.session.get(f"{self.base}/admin/authtoken/tokenproxy/", timeout=DEADLINE).text
        (key,) = set(re.findall(r"/admin/authtoken/tokenproxy/(\d+)/change/", page))
        self.post(f"/admin/authtoken/tokenproxy/{key}/delete/", post="yes")


class Console:
    """Reads the output of a script in Node, line by line, as in a browser's console."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> str:
        """Return the next line, without the frames of the library."""
        while line := self._process.stdout.readline():
            if '"type":"auth.' not in line:
                return line.rstrip("\n")
        raise AssertionError("The script has ended.")

    @staticmethod
    @contextmanager
    def run(script: str) -> Iterator["Console"]:
        command = [NODE, "--input-type=module", "--eval", script]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            watchdog = threading.Timer(DEADLINE, process.kill)
            watchdog.start()
            try:
                yield Console(process)
            finally:
                watchdog.cancel()
                process.kill()
