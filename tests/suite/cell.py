"""Run the tests of one cell of the matrix, in its environment: `python -m tests.suite.cell FILE`.

The file gets the counts and the versions, in JSON. Where the packages' versions are what the cell
is about, all servers and the property tests run, else one server and no property tests.
"""

import json
import platform
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.suite.lanes import (
    LONG,
    SLOW,
    WIRE_ON_ALL_SERVERS,
    WIRE_ON_ONE_SERVER,
    computing,
    suite,
)
from tests.suite.reports import closing_line, counts
from tests.suite.running import in_lanes

OF_PACKAGES = ("lowest", "newest")
PACKAGES = ("channels", "daphne", "granian", "hypercorn", "uvicorn")


def main(file: str) -> int:
    began = time.monotonic()
    name = Path(sys.prefix).name
    is_of_packages = name in OF_PACKAGES
    servers = WIRE_ON_ALL_SERVERS if is_of_packages else WIRE_ON_ONE_SERVER
    long = LONG if is_of_packages else SLOW
    with TemporaryDirectory() as folder:
        steps = suite(name, sys.executable, servers=servers, long=long)
        results = in_lanes([computing(steps)], Path(folder))
        reports = [result.report for result in results]
        totals = sum((counts(report) for report in reports), Counter())
        print(closing_line(reports, time.monotonic() - began))  # noqa: T201 - a program
    answer = {
        "python": platform.python_version(),
        "django": version("django"),
        "passed": totals["passed"],
        "failed": totals["failed"],
        "skipped": totals["skipped"],
        "packages": {package: version(package) for package in PACKAGES},
    }
    Path(file).write_text(json.dumps(answer))
    return int(any(result.code for result in results))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
