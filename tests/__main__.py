"""The whole suite: all tests on SQLite, what a database decides on PostgreSQL too, all covered.

Then the backends once more, with the lowest versions of the packages that they are for. Tests wait
more than they compute, so a second lane runs beside the first; its output follows when it is done.
`python3 dev.py test` runs it, as `python -m tests PYTHON`, in the environment that it needs. PYTHON
is that of an environment with the lowest versions.
"""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from xml.etree import ElementTree as ET

COVERAGE = [sys.executable, "-m", "coverage"]
INTERRUPTED = 2  # pytest's exit code
BACKENDS = ["tests/backends", "tests/matrix/test_matrix.py"]


@dataclass(frozen=True, slots=True)
class Step:
    """A program to run. `report`: the JUnit report that it leaves."""

    name: str
    command: Sequence[str]
    report: Path


def main(lowest: str) -> int:
    # Ctrl-C reaches pytest as well: it ends what it has started, while we wait for it.
    signal.signal(signal.SIGINT, lambda *_: None)
    began = time.monotonic()
    run("coverage of earlier runs", [*COVERAGE, "erase"])
    with TemporaryDirectory() as folder:
        reports = Path(folder)
        first, second = (
            [on("sqlite", reports)],
            [on("postgresql", reports), on_lowest(lowest, reports)],
        )
        codes = in_lanes(first, second, reports / "output")
        if INTERRUPTED in codes:
            return INTERRUPTED
        codes.append(run("coverage of both runs", [*COVERAGE, "combine", "--quiet"]))
        codes.append(run("coverage report", [*COVERAGE, "report"]))
        print(closing_line([s.report for s in first + second], time.monotonic() - began))  # noqa: T201 - a program
    return int(any(codes))


def on(database: str, reports: Path) -> Step:
    report = reports / f"{database}.xml"
    options = ["-m", "pytest", f"--database={database}", f"--junit-xml={report}"]
    return Step(f"tests on {database}", [*COVERAGE, "run", *options], report)


def on_lowest(python: str, reports: Path) -> Step:
    report = reports / "lowest.xml"
    command = [python, "-m", "pytest", *BACKENDS, f"--junit-xml={report}"]
    return Step("backends on the lowest versions of their packages", command, report)


def in_lanes(first: Iterable[Step], second: Iterable[Step], output: Path) -> list[int]:
    """The exit codes of both lanes. The second one's output is kept back until both are done."""
    with output.open("w") as kept, ThreadPoolExecutor(1) as pool:
        beside = pool.submit(lane, second, kept)
        codes = lane(first)
        codes += beside.result()
    print(output.read_text(errors="replace"), flush=True)  # noqa: T201 - a program
    return codes


def lane(steps: Iterable[Step], output: IO[str] | None = None) -> list[int]:
    codes: list[int] = []
    for step in steps:
        codes.append(run(step.name, step.command, output))
        if codes[-1] == INTERRUPTED:
            break
    return codes


def run(name: str, command: Sequence[str], output: IO[str] | None = None) -> int:
    print(f"\n--- {name}", flush=True, file=output)
    return subprocess.run(
        command, check=False, stdout=output, stderr=subprocess.STDOUT if output else None
    ).returncode


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
