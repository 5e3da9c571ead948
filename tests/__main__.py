"""The whole suite: all tests on SQLite, what a database decides on PostgreSQL too, all covered.

`python3 dev.py test` runs it, as `python -m tests`, in the environment that it needs.
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


def main() -> int:
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
        print(closing_line(reports, time.monotonic() - began))  # noqa: T201 - a program
    return int(any(codes))


def step(name: str, *arguments: str) -> int:
    print(f"\n--- {name}", flush=True)  # noqa: T201 - a program
    return subprocess.run([*COVERAGE, *arguments], check=False).returncode


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
    sys.exit(main())
