"""The whole suite: all tests on SQLite, what a database decides on PostgreSQL too, all covered.

Then the backends once more, with the lowest versions of the packages that they are for.
`python3 dev.py test` runs it, as `python -m tests PYTHON`, in the environment that it needs. PYTHON
is that of an environment with the lowest versions.
"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

COVERAGE = [sys.executable, "-m", "coverage"]
INTERRUPTED = 2  # pytest's exit code
BACKENDS = ["tests/backends", "tests/matrix/test_matrix.py"]


def main(lowest: str) -> int:
    # Ctrl-C reaches pytest as well: it ends what it has started, while we wait for it.
    signal.signal(signal.SIGINT, lambda *_: None)
    began = time.monotonic()
    step("coverage of earlier runs", "erase")
    with TemporaryDirectory() as folder:
        reports = [Path(folder, f"{database}.xml") for database in ("sqlite", "postgresql")]
        codes = []
        for report in reports:
            options = [f"--database={report.stem}", f"--junit-xml={report}"]
            codes.append(step(f"tests on {report.stem}", "run", "-m", "pytest", *options))
            if codes[-1] == INTERRUPTED:
                return INTERRUPTED
        codes.append(step("coverage of both runs", "combine", "--quiet"))
        codes.append(step("coverage report", "report"))
        reports.append(Path(folder, "lowest.xml"))
        options = ["-m", "pytest", *BACKENDS, f"--junit-xml={reports[-1]}"]
        codes.append(run("backends on the lowest versions of their packages", lowest, *options))
        print(closing_line(reports, time.monotonic() - began))  # noqa: T201 - a program
    return int(any(codes))


def step(name: str, *arguments: str) -> int:
    return run(name, *COVERAGE, *arguments)


def run(name: str, *command: str) -> int:
    print(f"\n--- {name}", flush=True)  # noqa: T201 - a program
    return subprocess.run(command, check=False).returncode


def closing_line(reports: Iterable[Path], seconds: float) -> str:
    """All runs together, as pytest would have closed one."""
    totals: Counter[str] = Counter()
    for report in reports:
        totals.update(tally(report))
    words = [word for word in ("failed", "passed", "skipped") if totals[word]]
    counts = ", ".join(f"{totals[word]} {word}" for word in words)
    return f"===== {counts} in {seconds:.2f}s ====="


def tally(report: Path) -> dict[str, int]:
    """The counts of a JUnit report, in pytest's words."""
    if not report.exists():  # pytest did not get so far
        return {"failed": 1}
    suite = ET.parse(report).getroot()[0].attrib
    names = ("tests", "failures", "errors", "skipped")
    tests, failures, errors, skipped = (int(suite[name]) for name in names)
    failed = failures + errors
    return {"failed": failed, "passed": tests - failed - skipped, "skipped": skipped}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
