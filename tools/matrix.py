"""Run the tests on every supported combination, and record the results in the docs.

A cell is a Python with a Django; or the oldest Python with the lowest packages, or the newest one
with the newest. Its run is `python -m tests.suite.cell`: the in-process tests, and the handshakes
on real servers.
"""

import datetime as dt
import json
import tempfile
from pathlib import Path

from tools import debian
from tools.environments import LOWEST, NEWEST, environment, full_environment
from tools.programs import ROOT, UserError, run, say
from tools.pythons import SUPPORTED, NotOfferedError, find_python, other_end, own_version

__all__ = [
    "DJANGOS",
    "PACKAGES",
    "RECORD",
    "cell_environment",
    "combinations",
    "names",
    "other_environment",
    "run_cells",
]

RECORD = ROOT / "docs" / "reference" / "supported.json"
# Each Django, with the lowest Python that it supports.
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
# Each cell of packages, with its Python and with what replaces the locked packages.
PACKAGES = {"lowest": (SUPPORTED[0], LOWEST), "newest": (SUPPORTED[-1], NEWEST)}


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


def other_environment():
    """Return the Python of the environment at the other end of the supported range.

    uv.lock has the oldest Django for the oldest Python only. If this Python is between the ends,
    both would have the newest: the other one gets the oldest.
    """
    version, instead = other_end(), ()
    if own_version() in SUPPORTED[1:-1]:
        instead = _of_django(next(iter(DJANGOS)))
    return environment(f"test-{version}", "test", python=find_python(version), instead=instead)


def run_cells(wanted):
    """Run the cells with these names, all if there are none; print and record the results."""
    if unknown := set(wanted) - set(names()):
        raise UserError(f"No cell {', '.join(sorted(unknown))}; there are {', '.join(names())}.")
    # As for the gate, of which these tests are a part: they start services, and programs of npm.
    debian.require_packages(debian.PACKAGES)
    full_environment()
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    results = {}
    for name in wanted or names():
        say(f"\n=== {name}")
        results[name] = _run_cell(name)
        if results[name].get("passed") and not results[name]["failed"]:
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
        python = cell_environment(name)
    except UserError as error:
        say(str(error))
        return {"missing": str(error)} if isinstance(error, NotOfferedError) else {"failed": 1}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "cell.json")
        code = run([python, "-m", "tests.suite.cell", report])
        if not report.exists():
            return {"failed": code or 1}
        answer = json.loads(report.read_text())
        answer["failed"] = answer["failed"] or code  # a run may fail without a test that does
        return {"on": dt.datetime.now(tz=dt.UTC).date().isoformat(), **answer}


def cell_environment(name):
    """Return the Python of a cell's environment. Raises NotOfferedError if the machine has none."""
    if name in PACKAGES:
        folder, (version, instead) = name, PACKAGES[name]
    else:
        version, _, django = name.partition("-")
        folder, instead = f"matrix-{name}", _of_django(django)
    return environment(folder, "test", python=find_python(version), instead=instead)


def _of_django(version):
    """Return the requirement of a Django that may not be the locked one."""
    return (f"django~={version}.0",)


def _table(results):
    line = "{:10} {:10} {:10} {:>7} {:>7} {:>7}"
    yield line.format("cell", "Python", "Django", "passed", "failed", "skipped")
    for name, each in results.items():
        if "missing" in each:
            yield f"{name:10} not on this machine: {each['missing']}"
        else:
            keys = ("python", "django", "passed", "failed", "skipped")
            yield line.format(name, *(each.get(key, "?") for key in keys))
