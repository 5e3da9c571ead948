"""Run steps of pytest in lanes, and print each one's output in one piece."""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tests.plugins.measure import MEASURE
from tests.suite.lanes import Step

__all__ = ["INTERRUPTED", "Result", "in_lanes", "run"]

INTERRUPTED = 2  # pytest's exit code
_printing = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a step. `processor`: seconds of all its processes. `report`: of JUnit."""

    name: str
    code: int
    seconds: float
    processor: float
    report: Path


def in_lanes(lanes: Iterable[Sequence[Step]], folder: Path) -> list[Result]:
    """Run all lanes at the same time, and return all results."""
    lanes = list(lanes)
    with ThreadPoolExecutor(len(lanes)) as pool:
        finished = [pool.submit(_lane, lane, folder) for lane in lanes]
    return [result for each in finished for result in each.result()]


def _lane(steps: Iterable[Step], folder: Path) -> list[Result]:
    results: list[Result] = []
    for step in steps:
        results.append(_step(step, folder))
        if results[-1].code == INTERRUPTED:
            break
    return results


def _step(step: Step, folder: Path) -> Result:
    report = folder / f"{step.name}.xml"
    command = [step.python, "-m", "pytest", "-q", f"--junit-xml={report}", *step.arguments]
    environ = {MEASURE: "yes"} if step.is_covered else {}
    return run(step.name, command, report=report, environ=environ)


def run(
    name: str,
    command: Sequence[str],
    *,
    report: Path,
    environ: Mapping[str, str] | None = None,
) -> Result:
    """Run a program, and print its output when it has ended."""
    output, began = report.with_suffix(".log"), time.monotonic()
    with output.open("wb") as file:
        program = subprocess.Popen(
            command,
            env=os.environ | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(program.pid, 0)
    program.returncode = os.waitstatus_to_exitcode(status)
    seconds, processor = time.monotonic() - began, usage.ru_utime + usage.ru_stime
    with _printing:
        print(f"\n--- {name} ({seconds:.0f} s)", flush=True)  # noqa: T201 - a program
        print(output.read_text(errors="replace"), end="", flush=True)  # noqa: T201 - a program
    return Result(
        name=name,
        code=program.returncode,
        seconds=seconds,
        processor=processor,
        report=report,
    )
