"""A real Prometheus with the shipped alert rules, in which a minute takes seconds."""

import contextlib
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.services import DEADLINE, free_port

__all__ = ["MONITORING", "Prometheus", "prometheus", "quickened"]

MONITORING = Path(__file__).parents[2] / "monitoring"
WINDOW = "10s"
"""The window of rates, in place of minutes. Shorter ones would have too few scrapes in them."""

CONFIGURATION = {
    "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
    "rule_files": ["alerts.yml"],
}


def quickened(expression: str) -> str:
    """Return an expression or rules with short windows, and without waiting before an alert.

    A dashboard's expression is that for all jobs.
    """
    expression = expression.replace("$job", ".*")
    return re.sub(r"for: \d+m", "for: 1s", re.sub(r"\[\d+m\]", f"[{WINDOW}]", expression))


@contextlib.contextmanager
def prometheus(nodes: Iterable[str]) -> Iterator["Prometheus"]:
    """A running Prometheus that scrapes these nodes (host and port), and ends with the block."""
    with tempfile.TemporaryDirectory(prefix="prometheus-") as name:
        folder, server = Path(name), Prometheus(free_port())
        rules = quickened((MONITORING / "alerts.yml").read_text())
        (folder / "alerts.yml").write_text(rules)
        job = {
            "job_name": "mysite",
            "metrics_path": "/auth/metrics/",
            "static_configs": [{"targets": list(nodes)}],
        }
        # Prometheus reads YAML, of which JSON is a part.
        text = json.dumps(CONFIGURATION | {"scrape_configs": [job]})
        (folder / "prometheus.yml").write_text(text)
        command = ["setpriv", "--pdeathsig=KILL", "prometheus", "--storage.tsdb.path=data"]
        command += ["--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{server.port}"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            server.wait_until_ready(process, folder / "log")
            yield server
        finally:
            process.terminate()
            process.wait(DEADLINE)


class Prometheus:
    """Its HTTP interface."""

    def __init__(self, port: int) -> None:
        self.port = port

    def wait_until_ready(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        """Return when it answers. Raises RuntimeError with its log if it does not."""
        deadline = time.monotonic() + DEADLINE
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self._get("/-/ready")
                return
            time.sleep(0.05)
        raise RuntimeError(f"Prometheus does not start:\n{log.read_text()}")

    def query(self, expression: str) -> dict[str, float]:
        """Return the value of each series, by its instance."""
        found = self._data("query", query=expression)["result"]
        return {each["metric"].get("instance", ""): float(each["value"][1]) for each in found}

    def query_range(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """Return each series with its values, two in a second."""
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": "0.5"}
        result: list[dict[str, Any]] = self._data("query_range", query=expression, **times)[
            "result"
        ]
        return result

    def firing(self) -> set[str]:
        """Return the names of the alerts that are firing."""
        alerts = self._data("alerts")["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def _data(self, name: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        return json.loads(self._get(f"/api/v1/{name}?{query}"))["data"]

    def _get(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            error.close()  # it has a body, which is open
            raise
