"""Run other programs: show their progress, and stop them when this process is stopped."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

__all__ = [
    "DEV",
    "ROOT",
    "UserError",
    "become",
    "clean_environ",
    "install",
    "read",
    "run",
    "run_together",
    "say",
]

ROOT = Path(__file__).resolve().parents[1]
DEV = ROOT / ".dev"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Variables that programs get: those of the machine, of the network, and our own. All others are
# for other projects: PYTHONPATH, UV_PROJECT, PIP_USER and NODE_ENV would break an installation,
# and DJANGO_SETTINGS_MODULE or PROMETHEUS_MULTIPROC_DIR a test. Many container images set
# PYTHONDONTWRITEBYTECODE: each program of a run would compile every module again.
KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TERM|NO_COLOR|LANG|LANGUAGE|TZ|TMPDIR"
    r"|(LC|LD|XDG|EXAMPLE|BENCH)_\w+|\w*(CACHE_DIR|CERT|CA_BUNDLE|CAFILE|CONFIG_FILE|INDEX"
    r"|FIND_LINKS|KEYRING|NATIVE_TLS|NETRC|PROXY|REGISTRY|TIMEOUT|TOKEN|USERCONFIG|_HOST)\w*",
    re.IGNORECASE,
)
OWN_ADDRESSES = ("localhost", "127.0.0.1", "::1")
# Lines of apt, pip, uv and npm that report a problem. They are not shown as progress: one of them
# becomes the reason in the error.
TROUBLE = re.compile(r"\s*(E:|W:|npm |error|warning|caused?|hint|help|×|├|│|╰)", re.IGNORECASE)
FAILURE = re.compile(r"(E:|npm error|error|×)", re.IGNORECASE)


class UserError(Exception):
    """A problem that the reader can solve: printed as one line, exit code 2."""


def say(line):
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


def install(command, problem, settings=()):
    """Run an installer and show its progress. A failure raises one line, `problem` (reason)."""
    complaints = []

    def show(line):
        complaints.append(line.strip()) if TROUBLE.match(line) else say("  " + line.rstrip())

    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    code = run(command, show, settings, **pipe)
    if code:
        reason = next((c for c in complaints if FAILURE.match(c)), f"exit code {code}")
        raise UserError(f"{problem} ({reason})")


def run(command, show=None, settings=(), **options):
    """Return a program's exit code. If this process is stopped, interrupt the program and wait."""
    # A session of its own: Ctrl-C reaches this process only, which then passes it on once.
    options.update(stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT)
    with subprocess.Popen(list(map(str, command)), env=clean_environ(settings), **options) as child:
        try:
            for line in child.stdout or ():
                show(line)
            return child.wait()
        except BaseException:
            with contextlib.suppress(OSError):  # it may have ended, or belong to another user
                os.killpg(child.pid, signal.SIGINT)
            child.wait()
            raise


def run_together(commands):
    """Run programs at the same time, by name; yield the name, the exit code and the output of each.

    If this process is stopped, interrupt those that still run, and wait for them.
    """
    options = {"stdin": subprocess.DEVNULL, "start_new_session": True, "cwd": ROOT}
    options.update(stderr=subprocess.STDOUT, env=clean_environ())
    started = []
    with contextlib.ExitStack() as stack:
        try:
            for name, command in commands.items():
                output = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
                child = subprocess.Popen(list(map(str, command)), stdout=output, **options)
                started.append((name, child, output))
            for name, child, output in started:
                code = child.wait()
                output.seek(0)
                yield name, code, output.read()
        finally:
            for _, child, _ in started:
                if child.poll() is None:
                    os.killpg(child.pid, signal.SIGINT)
                    child.wait()


def read(command):
    """Return what a program prints; nothing if it fails or does not exist."""
    with contextlib.suppress(OSError):
        finished = subprocess.run(
            list(map(str, command)),
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            check=False,
        )
        return "" if finished.returncode else finished.stdout.strip()
    return ""


def become(command):
    """Replace this process by a program."""
    os.chdir(ROOT)
    os.execve(command[0], list(map(str, command)), clean_environ())  # noqa: S606 - no shell wanted


def clean_environ(settings=()):
    """Return the variables that a program gets: those that are `KEPT`, and `settings`."""
    environ = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    # The cache needs no home directory there, and uv can link from it: it is on the same disk.
    environ.setdefault("UV_CACHE_DIR", str(DEV / "cache"))
    if CERTIFICATES.exists():
        # uv and npm bring certificates of their own; the machine's may include a proxy's.
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            environ.setdefault(name, str(CERTIFICATES))
    # A proxy is for other machines: tests, and the example's programs, have servers of their own.
    given = [environ.get(name, "") for name in ("no_proxy", "NO_PROXY")]
    addresses = dict.fromkeys(filter(None, [*",".join(given).split(","), *OWN_ADDRESSES]))
    # The star, for all addresses, counts only where it stands alone.
    direct = "*" if "*" in addresses else ",".join(addresses)
    environ.update(no_proxy=direct, NO_PROXY=direct)
    # dpkg needs the sbin folders, and not every root's PATH has them.
    environ["PATH"] = environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    environ.update(settings)
    return environ
