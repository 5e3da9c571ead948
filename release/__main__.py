"""Build everything that is published into dist/, and check it: `python -m release`.

Each package is built twice, and must be the same. Nothing is uploaded: that is the workflow's part.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from release.build import CLIENT, NODE, ROOT, build_npm, build_python, digests

DIST = ROOT / "dist"


def main() -> int:
    """Return the exit code."""
    DIST.mkdir(exist_ok=True)
    for earlier in DIST.iterdir():
        earlier.unlink()
    built = [*build_python(DIST), build_npm(DIST)]
    with tempfile.TemporaryDirectory() as folder:
        again = [*build_python(Path(folder)), build_npm(Path(folder))]
        if digests(built) != digests(again):
            print("Two builds of the same commit differ.")
            return 1
    *python, _ = built
    wheel = next(path for path in python if path.suffix == ".whl")
    for command in checks(python, wheel):
        subprocess.run([str(part) for part in command], cwd=CLIENT, check=True)
    for name, digest in digests(built).items():
        print(f"{digest}  {name}")
    return 0


def checks(python: list[Path], wheel: Path) -> list[list[object]]:
    """Return the commands that look into what was built."""
    publint = CLIENT / "node_modules" / "publint" / "src" / "cli.js"
    return [
        [sys.executable, "-m", "twine", "check", "--strict", *python],
        [Path(sys.executable).with_name("check-wheel-contents"), wheel],
        [NODE, publint, "run", "--strict", "--pack", "false", CLIENT],
    ]


if __name__ == "__main__":
    sys.exit(main())
