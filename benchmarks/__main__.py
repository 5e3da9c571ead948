"""Run the benchmarks, all or by name, and write what they found into `benchmarks/results`.

`python3 dev.py bench` runs it in the environment that it needs.
"""

import argparse
import os
import resource
import shlex
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

from . import machine, plot, report
from .bench import Bench
from .contestants import CONTESTANTS
from .databases import KINDS
from .generator import compile_load
from .server import SERVERS

NAMES = (
    *(
        "handshakes",
        "cost",
        "everything",
        "echo",
        "storm",
        "trouble",
        "memory",
        "churn",
        "flood",
        "attack",
        "growth",
    ),
    *("revocation", "revocation_many", "logout", "sweep", "frames", "connections"),
)
ONLY_BY_NAME = ("day",)
BEFORE = ("handshakes", "echo", "memory")
QUICK = ("bare", "stock", "tutorial", "kick", "ours", "ours-warm", "revoke-user", "logout")
SOCKETS = 32_768
RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    os.environ["BENCH_LOOP"] = options.loop
    os.sched_setaffinity(
        0, {machine.GENERATOR_CPU}
    )  # also of every process that it starts, except the servers
    allow_many_sockets()
    compile_load()
    if machine.is_shared():
        print("There is only one CPU, which server and generator share: compare no results.")
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", flush=True)

    bench = Bench(
        rounds=options.rounds or (2 if options.quick else 8),
        quick=options.quick,
        only=tuple(options.contestant or (QUICK if options.quick else ())),
        servers=tuple(options.server or SERVERS),
        databases=tuple(options.database or KINDS),
        minutes=options.minutes,
        sockets=options.sockets,
        before=options.before,
        say=say,
    )
    faults = []
    facts = machine.describe() | {
        "command": f"`python3 dev.py bench {shlex.join(arguments)}`".replace(" `", "`"),
        "rounds": str(bench.rounds),
    }
    folder = Path(options.results)
    for name in options.names or NAMES:
        say(f"--- {name}")
        module = import_module(f".{name}", __package__)
        panels = list(module.run(bench))
        report.write(folder, name, module.__doc__, facts, panels)
        plot.draw(folder / f"{name}.svg", panels)
        for panel in panels:
            print(f"\n{name}: {panel.title}\n", *report.table(panel), *panel.faults, sep="\n")
            faults += panel.faults
        print(flush=True)
    say(f"written to {folder}")
    return int(bool(faults))


def allow_many_sockets() -> None:
    """Raise the limit of open files for all processes, at least to the hard limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, SOCKETS), max(hard, SOCKETS)))
    except ValueError:  # only root may raise the hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def parse(arguments: list[str]) -> argparse.Namespace:
    known = (*NAMES, *ONLY_BY_NAME)
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--rounds", type=int, help="default: 8, or 2 if quick")
    parser.add_argument("--quick", action="store_true", help="small numbers: does it run?")
    parser.add_argument("--contestant", action="append", default=[], choices=CONTESTANTS)
    parser.add_argument("--server", action="append", choices=SERVERS)
    parser.add_argument("--database", action="append", choices=KINDS)
    parser.add_argument("--results", default=RESULTS, help="the folder to write into")
    loops = ["asyncio", "uvloop"]
    parser.add_argument("--python", help="the Python to run on; default: that of dev.py")
    parser.add_argument("--loop", default=loops[0], choices=loops, help="the servers' event loop")
    parser.add_argument("--minutes", type=float, help="the length of `day`; default: 30")
    parser.add_argument("--sockets", type=int, help="how many are open in `day`; default: 10,000")
    parser.add_argument(
        "--before",
        type=checkout,
        metavar="CHECKOUT",
        help=f"a checkout of an older commit, whose code is measured too, by {', '.join(BEFORE)}",
    )
    options = parser.parse_args(arguments)
    if options.before and not set(options.names or NAMES) <= set(BEFORE):
        parser.error(f"--before needs the names of benchmarks, of {', '.join(BEFORE)}")
    if unknown := set(options.names) - set(known):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    return options


def checkout(name: str) -> Path:
    """Return the folder of a checkout that has benchmarks. Raises ValueError."""
    folder = Path(name).resolve()
    if not (folder / "benchmarks" / "project" / "asgi.py").is_file():
        raise argparse.ArgumentTypeError(
            f"{folder} is no checkout with benchmarks: git worktree add {folder} COMMIT"
        )
    return folder


if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that the processes it has started are stopped
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
