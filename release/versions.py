"""Compare the versions of the Python package, the npm package and a tag.

`python -m release.versions TAG` fails if they differ. A release candidate is `0.1.0rc1` for Python
(PEP 440) and `0.1.0-rc.1` for npm (Semantic Versioning).
"""

import json
import re
import sys
import tomllib
from pathlib import Path

__all__ = ["as_npm", "npm", "python"]

ROOT = Path(__file__).resolve().parents[1]


def python() -> str:
    """Return the version in pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def npm() -> str:
    """Return the version in the client's package.json."""
    return str(json.loads((ROOT / "client" / "package.json").read_text())["version"])


def as_npm(version: str) -> str:
    """Return a Python version as npm writes it."""
    return re.sub(r"(?<=\d)rc(\d+)$", r"-rc.\1", version)


def main(tag: str) -> int:
    """Return the exit code: 0 if all three are the same version."""
    found = {"tag": as_npm(tag.removeprefix("v")), "Python": as_npm(python()), "npm": npm()}
    if len(set(found.values())) == 1:
        return 0
    print(f"The versions differ: {found}. Change pyproject.toml and client/package.json.")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
