"""Run the gate, or all tests: `python3 dev.py test` starts this in the environment it needs.

`--other`, `--lowest` and `--newest` name the Pythons of further environments: one on another
version of Python, and two with the lowest and the newest packages. `--all` needs the last two.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.suite.lanes import MEASURES_QUICKLY, Lane, Options, lanes_of
from tests.suite.modules import modules
from tests.suite.reports import closing_line, dearest, skipped, slowest
from tests.suite.running import INTERRUPTED, Result, in_lanes, run

SLOWEST = 25


def main(arguments: Sequence[str]) -> int:
    # Ctrl-C reaches pytest as well. It ends what it has started, and this process waits for it.
    signal.signal(signal.SIGINT, lambda *_: None)
    began = time.monotonic()
    with TemporaryDirectory() as name:
        folder, options = Path(name), _options(arguments)
        lanes, coverage = lanes_of(options), [options.covered, "-m", "coverage"]
        _announce(lanes, is_all=options.is_all)
        run("coverage of earlier runs", [*coverage, "erase"], report=folder / "erase.xml")
        results = in_lanes(lanes, folder)
        codes = [result.code for result in results]
        if INTERRUPTED in codes:
            return INTERRUPTED
        for verb in ("combine", "report"):
            covered = run(f"coverage {verb}", [*coverage, verb], report=folder / f"{verb}.xml")
            codes.append(covered.code)
        _summarize(results, time.monotonic() - began)
    return int(any(codes))


def _announce(lanes: Sequence[Lane], *, is_all: bool) -> None:
    """Print what the run covers: its steps, in lanes that run at the same time; and measures."""
    print(f"{len(lanes)} lanes at the same time:", flush=True)  # noqa: T201 - a program
    for lane in lanes:
        names = ", ".join(step.name for step in lane.steps)
        print(f"  {lane.workers} at once: {names}", flush=True)  # noqa: T201 - a program
    verdict = "run too" if is_all else "run in `dev.py test --all` only"
    print(f"Tests that measure, and those of other packages, {verdict}. They are in:", flush=True)  # noqa: T201 - a program
    for module in modules([""], ["measured"]):
        print(f"  {module}", flush=True)  # noqa: T201 - a program


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--other", required=True)
    parser.add_argument("--lowest")
    parser.add_argument("--newest")
    known = parser.parse_args(arguments)
    return Options(
        own=sys.executable,
        other=known.other,
        lowest=known.lowest,
        newest=known.newest,
        is_own_quick=sys.version_info[:2] >= MEASURES_QUICKLY,
    )


def _summarize(results: Sequence[Result], seconds: float) -> None:
    reports = [result.report for result in results]
    lines = [f"\nThe {SLOWEST} slowest tests:", *slowest(reports, SLOWEST)]
    lines += [f"\nThe {SLOWEST} modules that need most processor time:"]
    lines += dearest(reports, SLOWEST)
    if not_run := skipped(reports):
        lines += ["\nNot run, for want of something on this machine:", *not_run]
    lines += ["\nTimes, by the clock and of processors:"]
    lines += [
        f"{each.seconds:7.0f}s {each.processor:7.0f}s  {each.name}{' FAILED' * bool(each.code)}"
        for each in results
    ]
    lines += [closing_line(reports, seconds)]
    print("\n".join(lines), flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
