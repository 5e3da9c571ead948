"""A checkout with only dev.py and its tools in it, and a uv that records its arguments."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 600.0  # it ends what hangs only
# `sync` makes the environment's folder, with a `python` that prints its arguments.
UV = """#!/bin/sh
set -eu
if [ "$1" = --version ]; then echo "uv 99.1.0"; exit; fi
echo "$@" >> "$(dirname "$0")/../calls"
if [ "$1" != sync ]; then exit; fi
mkdir -p "$UV_PROJECT_ENVIRONMENT/bin"
printf '#!/bin/sh\\necho "$@"\\n' > "$UV_PROJECT_ENVIRONMENT/bin/python"
chmod +x "$UV_PROJECT_ENVIRONMENT/bin/python"
"""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A checkout whose dev.py runs from another folder, in an empty environment."""

    root: Path
    environ: dict[str, str]

    @property
    def uv_calls(self) -> list[str]:
        calls = self.root.parent / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, self.root / "dev.py", *arguments],
            cwd="/",
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        with self.start(*arguments, **environ) as process:
            output, errors = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)

    def execute(self, program: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program that imports this checkout's `tools`."""
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )

    def add_program(self, name: str, script: str) -> None:
        """Put a program first on the PATH."""
        program = Path(self.environ["PATH"].split(os.pathsep)[0], name)
        program.write_text(script)
        program.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    root = tmp_path / "a check-out"  # with a space
    programs = tmp_path / "bin"
    for folder in (root, programs):
        folder.mkdir()
    shutil.copy(ROOT / "dev.py", root)
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    lock = "package-lock.json"
    locks = (f"client/{lock}", f"tests/providers/openid/{lock}")
    for file in ("uv.lock", "pyproject.toml", *locks):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("as it was\n")
    path = f"{programs}:/usr/bin:/bin"
    checkout = Checkout(root=root, environ={"PATH": path})
    checkout.add_program("uv", UV)
    return checkout
