"""Run the tests on every supported combination, and record the results in the docs.

A cell is a Python with a Django, or this Python with the lowest or the newest packages. Its run is
`python -m tests.suite.cell`: the in-process tests, and the handshakes on real servers.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path

from tools.environments import LOWEST, NEWEST, environment
from tools.programs import ROOT, UserError, run, say
from tools.pythons import SUPPORTED, find_python

__all__ = ["DJANGOS", "PACKAGES", "RECORD", "combinations", "names", "run_cells"]

RECORD = ROOT / "docs" / "reference" / "supported.json"
# Each Django, with the lowest Python that it supports.
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
PACKAGES = {"lowest": LOWEST, "newest": NEWEST}


def combinations():
    """Return all (Python, Django) that exist, as versions of two numbers."""
    return [
        (python, django)
        for python in SUPPORTED
        for django, lowest in DJANGOS.items()
        if SUPPORTED.index(python) >= SUPPORTED.index(lowest)
    ]


def names():
    """Return the names of all cells, such as `3.12-6.0` and `lowest`."""
    return ["-".join(pair) for pair in combinations()] + list(PACKAGES)


def run_cells(wanted):
    """Run the cells with these names, all if there are none; print and record the results."""
    if unknown := set(wanted) - set(names()):
        raise UserError(f"No cell {', '.join(sorted(unknown))}; there are {', '.join(names())}.")
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    results = {}
    for name in wanted or names():
        say(f"\n=== {name}")
        results[name] = _run_cell(name)
        if results[name].get("passed"):
            record[name] = results[name]
            # After each cell, since all of them take a while and may be stopped.
            RECORD.write_text(json.dumps(dict(sorted(record.items())), indent=2) + "\n")
    say("\n" + "\n".join(_table(results)))
    say("\nNow fill the page: .dev/test/bin/python -m docs.generate")
    ran = [result for result in results.values() if "missing" not in result]
    return int(not ran or any(result["failed"] for result in ran))


def _run_cell(name):
    """Return the counts and the versions; `missing` where this machine cannot provide the cell."""
    try:
        python = _environment(name)
    except UserError as error:
        say(str(error))
        return {"missing": str(error)}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "cell.json")
        code = run([python, "-m", "tests.suite.cell", report])
        if not report.exists():
            return {"failed": code or 1}
        today = dt.datetime.now(tz=dt.UTC).date()
        return {"on": today.isoformat(), **json.loads(report.read_text())}


def _environment(name):
    if name in PACKAGES:
        return environment(name, "test", instead=PACKAGES[name])
    python, django = name.split("-")
    # Each Django without a locked one: the lock has one version for each Python.
    return environment(
        f"matrix-{name}", "test", python=find_python(python), instead=[f"django~={django}.0"]
    )


def _table(results):
    yield "{:10} {:10} {:10} {:>7} {:>7}".format("cell", "Python", "Django", "passed", "failed")
    for name, each in results.items():
        if "missing" in each:
            yield f"{name:10} not on this machine: {each['missing']}"
        else:
            cells = (each.get(key, "?") for key in ("python", "django", "passed", "failed"))
            yield "{:10} {:10} {:10} {:>7} {:>7}".format(name, *cells)
