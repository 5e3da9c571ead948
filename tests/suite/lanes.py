"""The steps of the gate, in lanes by the resource that they need.

The two lanes run at the same time. The first one runs the library in the process of the tests; the
second one starts clusters, browsers, programs and servers. Tests of both also wait for timers. Each
lane starts its longest steps first and takes the next one when a worker is free, so that no core is
idle at the end of a run. `Result` has the seconds by the clock and of processors that show this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cores import cores
from tests.suite.modules import modules

__all__ = [
    "CORE",
    "IN_PROCESS",
    "LONG",
    "QUICK",
    "SERVICES",
    "SLOW",
    "WIRE_ON_ALL_SERVERS",
    "WIRE_ON_ONE_SERVER",
    "Lane",
    "Options",
    "Step",
    "computing",
    "gate",
    "lanes_of",
    "suite",
]

# The rules without Django and without an event loop.
CORE = ("core",)
# Folders that start real services, a step for each group, the longest step first. The step of the
# clusters is among the first, since it waits most: at the end it would run alone.
SERVICES = {
    "programs": ("benchmarks", "client", "deploy", "dev", "example", "release"),
    "docs": ("docs",),
    "cluster": ("cluster",),
    "browsers": ("browser",),
    "wire": ("wire",),
    "faults": ("faults", "tenants"),
}
# How many of these steps run at the same time, and how many that compute: three more than there are
# cores, since those wait too.
SERVICE_WORKERS = 4
# Of the tests that start services, those that run the library in their own process as well.
COVERED = ("faults",)
# Coverage costs nothing from this Python on, and two thirds of a test's time before.
MEASURES_QUICKLY = (3, 14)
# All other folders and modules share nothing: they run beside each other.
TESTS = Path(__file__).parents[1]
IN_PROCESS = tuple(
    sorted(
        {path.relative_to(TESTS).parts[0] for path in TESTS.glob("**/test_*.py")}.difference(
            CORE, *SERVICES.values()
        )
    )
)
CORES = cores()
WORKERS = CORES + 3
# These folders need as much processor time as those that are left. A step for each group, in one
# process, collects its own tests only, and sets up each module once: workers of pytest-xdist would
# collect those of all groups, and each of them set up what its tests need.
PARTS = (("providers", "revocation"), ("backends", "matrix"))
REST = tuple(sorted({*IN_PROCESS}.difference(*PARTS)))
# These parts wait for timers longer than they compute. They begin first: steps that compute keep
# all cores busy until the end of a run.
WAITING = ("rest", "providers and revocation")
# The table of handshakes once more, on another Python: one server shows all that may differ.
WIRE_ON_ALL_SERVERS = ("tests/wire",)
WIRE_ON_ONE_SERVER = ("tests/wire", "--server=granian")
PROMISED = "not measured"
# Property tests and slow tests have a step of their own, so that the others answer quickly.
QUICK, LONG = "not hypothesis and not slow", "hypothesis or slow"
# Properties hold on every Python or on none. They run on the lowest and the newest packages too.
# So do slow tests of the database, which run on two databases already.
SLOW = f"slow and not hypothesis and not database and {PROMISED}"
# In the gate, a slow test of the database runs on PostgreSQL only.
ONCE = f"({LONG} and not database) and {PROMISED}"
# The markers of these expressions that select tests.
MARKERS_OF = {LONG: ("hypothesis", "slow"), ONCE: ("hypothesis", "slow"), SLOW: ("slow",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One run of pytest. `python`: of the environment that it runs in.

    `waits`: it waits longer than it computes.
    """

    name: str
    python: str
    arguments: Sequence[str]
    is_covered: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Steps that begin in their order. `workers`: how many of them run at the same time."""

    steps: Sequence[Step]
    workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The Pythons of the environments. `lowest` and `newest` are set for `test --all` only.

    `is_own_quick`: coverage is measured on the own Python, else on the other.
    """

    own: str
    other: str
    lowest: str | None = None
    newest: str | None = None
    is_own_quick: bool = False

    @property
    def covered(self) -> str:
        """Return the Python on which coverage is measured, and reported."""
        return self.own if self.is_own_quick else self.other

    @property
    def is_all(self) -> bool:
        return self.lowest is not None


def lanes_of(options: Options) -> list[Lane]:
    """Return the lanes of the gate, or those of `test --all`."""
    steps, services = gate(options)
    if options.lowest and options.newest:
        for name, python in {"lowest": options.lowest, "newest": options.newest}.items():
            steps += suite(f"{name} packages", python, servers=WIRE_ON_ALL_SERVERS, long=LONG)
    return [computing(steps), Lane(steps=services, workers=SERVICE_WORKERS)]


def computing(steps: Sequence[Step]) -> Lane:
    """Return a lane that keeps all cores busy: steps that wait begin first."""
    return Lane(steps=sorted(steps, key=lambda step: not step.waits), workers=WORKERS)


def gate(options: Options) -> tuple[list[Step], list[Step]]:
    """Return the steps that compute, and those of the services."""
    own, promised = options.own, () if options.is_all else ("-m", PROMISED)
    is_own, is_other = options.is_own_quick, not options.is_own_quick
    # By length, for each Python: a long step at the end would run alone.
    steps = [
        Step(name="postgresql", python=own, arguments=postgresql()),
        *in_process("in-process", own, is_covered=is_own),
        *suite("other Python", options.other, servers=WIRE_ON_ONE_SERVER, is_covered=is_other),
        Step(
            name="properties",
            python=own,
            arguments=properties() if options.is_all else properties_of_the_gate(),
            is_covered=is_own,
        ),
        Step(name="core", python=own, arguments=core(), is_covered=is_own),
    ]
    services = [
        Step(
            name=name,
            python=own,
            arguments=[*paths(folders), *promised],
            is_covered=name in COVERED,
        )
        for name, folders in SERVICES.items()
    ]
    return steps, services


def suite(
    name: str,
    python: str,
    *,
    servers: Sequence[str],
    long: str = SLOW,
    is_covered: bool = False,
) -> list[Step]:
    """Return what another Python, or other packages, may change: no browser, one wire table.

    `long`: the slow tests and the property tests that run, as an expression of markers.
    """
    steps = {"slow": properties(long), "core": core()}
    return [
        *in_process(f"{name}: in-process", python, is_covered=is_covered),
        Step(name=f"{name}: wire", python=python, arguments=[*servers, "-m", PROMISED]),
        *(
            Step(name=f"{name}: {each}", python=python, arguments=given, is_covered=is_covered)
            for each, given in steps.items()
        ),
    ]


def in_process(name: str, python: str, *, is_covered: bool) -> list[Step]:
    """Return a step for each part of the in-process tests."""
    parts = {"rest": REST} | {" and ".join(group): group for group in PARTS}
    return [
        Step(
            name=f"{name}: {part}",
            python=python,
            arguments=[*paths(folders), "-m", QUICK],
            is_covered=is_covered,
            waits=part in WAITING,
        )
        for part, folders in parts.items()
    ]


def core() -> list[str]:
    return [*paths(CORE), "-m", QUICK]


def properties(long: str = LONG) -> list[str]:
    return [*modules(CORE + IN_PROCESS, MARKERS_OF[long]), "-m", long]


def properties_of_the_gate() -> list[str]:
    """Return the arguments for the same few examples each time: `test --all` searches at random."""
    return [*properties(ONCE), "--hypothesis-profile=gate"]


def postgresql() -> list[str]:
    """Return the arguments for the tests whose outcome the database decides.

    Properties are of the code that reads tokens: one database shows them.
    """
    found = modules((*IN_PROCESS, "wire", "faults"), ["database"])
    return [*found, "--database=postgresql", "--migrations", "-m", "not hypothesis"]


def paths(folders: Sequence[str]) -> list[str]:
    """Return the paths of folders, or of modules, of tests."""
    return [f"tests/{folder}" for folder in folders]
