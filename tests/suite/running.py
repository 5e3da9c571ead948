"""Run steps of pytest in lanes, and print each one's output in one piece."""

import os
import subprocess
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tests.plugins.measure import MEASURE
from tests.suite.lanes import Lane, Step

__all__ = ["INTERRUPTED", "Result", "in_lanes", "run"]

INTERRUPTED = 2  # pytest's exit code
_printing = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a step. `processor`: CPU seconds of all its processes. `report`: of JUnit."""

    name: str
    code: int
    seconds: float
    processor: float
    report: Path


def in_lanes(lanes: Iterable[Lane], folder: Path) -> list[Result]:
    """Run all lanes at the same time, and return the results in the order of the steps."""
    lanes = list(lanes)
    with ThreadPoolExecutor(sum(lane.workers for lane in lanes)) as pool:
        working: list[Future[dict[str, Result]]] = []
        for lane in lanes:
            waiting = deque(lane.steps)
            working += [pool.submit(_work, waiting, folder) for _ in range(lane.workers)]
    found = {name: result for each in working for name, result in each.result().items()}
    return [found[step.name] for lane in lanes for step in lane.steps if step.name in found]


def _work(waiting: deque[Step], folder: Path) -> dict[str, Result]:
    """Run steps of a lane until none is left. Other threads may take theirs from the same lane."""
    results: dict[str, Result] = {}
    while step := _take(waiting):
        result = results[step.name] = _step(step, folder)
        if result.code == INTERRUPTED:
            waiting.clear()
    return results


def _take(waiting: deque[Step]) -> Step | None:
    try:  # not `if waiting`: another thread may take the last one meanwhile
        return waiting.popleft()
    except IndexError:
        return None


def _step(step: Step, folder: Path) -> Result:
    report = folder / f"{step.name}.xml"
    command = [step.python, "-m", "pytest", "-q", f"--junit-xml={report}"]
    # Else pytest answers a module that cannot be imported as it answers Ctrl-C.
    command += ["--continue-on-collection-errors", *step.arguments]
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
