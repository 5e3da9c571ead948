"""The steps of the gate, in lanes by the resource that they need.

A lane runs its steps one after another; the lanes run at the same time, and should take equally
long. The first lane computes, on all cores; in the end it sends handshakes to real servers. The
second lane starts clusters, browsers and programs, and mostly waits for them. A third lane was
tried: on two cores the gate took a fifth longer.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.suite.modules import modules

__all__ = [
    "CORE",
    "IN_PROCESS",
    "LONG",
    "SERVICES",
    "SLOW",
    "WIRE_ON_ALL_SERVERS",
    "WIRE_ON_ONE_SERVER",
    "Options",
    "Step",
    "gate",
    "lanes_of",
    "suite",
]

# The rules without Django and without an event loop.
CORE = ("core",)
# Folders that start real services, a step for each group.
SERVICES = {
    "wire": ("wire",),
    "faults": ("faults", "tenants"),
    "cluster": ("cluster",),
    "browsers": ("browser",),
    "programs": ("benchmarks", "client", "deploy", "dev", "docs", "example", "release"),
}
# Of the tests that start services, those that run the library in their own process as well.
COVERED = ("faults",)
# All other folders and modules share nothing: they run in as many processes as there are cores.
TESTS = Path(__file__).parents[1]
IN_PROCESS = tuple(
    sorted(
        {path.relative_to(TESTS).parts[0] for path in TESTS.glob("**/test_*.py")}.difference(
            CORE, *SERVICES.values()
        )
    )
)
WORKERS = ("-n", str(os.cpu_count() or 2), "--dist", "worksteal")
# The table of handshakes once more, on another Python: one server shows all that may differ.
WIRE_ON_ALL_SERVERS = ("tests/wire",)
WIRE_ON_ONE_SERVER = ("tests/wire", "--server=granian")
PROMISED = "not measured"
# Property tests and slow tests have a step of their own, so that the others answer quickly.
QUICK, LONG = "not hypothesis and not slow", "hypothesis or slow"
# Properties hold on every Python or on none. They run on the lowest and the newest packages too.
SLOW = "slow and not hypothesis"
# The markers of these expressions that select tests.
MARKERS_OF = {LONG: ("hypothesis", "slow"), SLOW: ("slow",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run of pytest. `python`: of the environment that it runs in."""

    name: str
    python: str
    arguments: Sequence[str]
    is_covered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The Pythons of the environments. `lowest` and `newest` are set for `test --all` only."""

    own: str
    other: str
    lowest: str | None = None
    newest: str | None = None

    @property
    def is_all(self) -> bool:
        return self.lowest is not None


def lanes_of(options: Options) -> list[list[Step]]:
    """Return the lanes of the gate, or those of `test --all`."""
    computing, waiting = gate(options)
    if options.lowest and options.newest:
        for name, python in {"lowest": options.lowest, "newest": options.newest}.items():
            computing += suite(f"{name} packages", python, servers=WIRE_ON_ALL_SERVERS, long=LONG)
    return [computing, waiting]


def gate(options: Options) -> tuple[list[Step], list[Step]]:
    """Return the computing and the waiting lane."""
    own, promised = options.own, () if options.is_all else ("-m", PROMISED)
    computing = [
        Step(name="core", python=own, arguments=core(), is_covered=True),
        Step(name="properties", python=own, arguments=properties(), is_covered=True),
        Step(name="in-process", python=own, arguments=in_process(), is_covered=True),
        Step(name="postgresql", python=own, arguments=postgresql(), is_covered=True),
        *suite("other Python", options.other, servers=WIRE_ON_ONE_SERVER),
    ]
    services = {
        name: Step(
            name=name,
            python=own,
            arguments=[*paths(folders), *promised],
            is_covered=name in COVERED,
        )
        for name, folders in SERVICES.items()
    }
    wire = services.pop("wire")
    return [*computing, wire], [*services.values()]


def suite(name: str, python: str, *, servers: Sequence[str], long: str = SLOW) -> list[Step]:
    """Return what another Python, or other packages, may change: no service, one wire table.

    `long`: the slow tests and the property tests that run, as an expression of markers.
    """
    return [
        Step(name=f"{name}: core", python=python, arguments=core()),
        Step(name=f"{name}: slow", python=python, arguments=properties(long)),
        Step(name=f"{name}: in-process", python=python, arguments=in_process()),
        Step(name=f"{name}: wire", python=python, arguments=[*servers, "-m", PROMISED]),
    ]


def core() -> list[str]:
    return [*paths(CORE), "-m", QUICK]


def properties(long: str = LONG) -> list[str]:
    return [*modules(CORE + IN_PROCESS, MARKERS_OF[long]), "-m", long, *WORKERS]


def in_process() -> list[str]:
    return [*paths(IN_PROCESS), "-m", QUICK, *WORKERS]


def postgresql() -> list[str]:
    """Return the arguments for the tests whose outcome the database decides."""
    found = modules((*IN_PROCESS, "wire", "faults"), ["database"])
    return [*found, "--database=postgresql", "--migrations", *WORKERS]


def paths(folders: Sequence[str]) -> list[str]:
    """Return the paths of folders, or of modules, of tests."""
    return [f"tests/{folder}" for folder in folders]
