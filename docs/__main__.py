"""Build the documentation site into docs/_build/html: `python3 dev.py docs`.

A warning of Sphinx, or a link that leads nowhere, is an error. `--online` checks the addresses of
other sites as well, which needs internet access.
"""

import argparse
import gc
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

from docs.site.links import broken

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="dev.py docs", description=__doc__)
    parser.add_argument("--online", action="store_true", help="check links to other sites too")
    parser.add_argument("--output", type=Path, default=HERE / "_build", help="default: docs/_build")
    options = parser.parse_args(arguments)
    code = _build("html", options.output)
    if code:
        return code
    dead = list(broken((options.output / "html").resolve()))
    print(*dead, sep="\n", end="\n" if dead else "")
    if not dead and options.online:
        code = _build("linkcheck", options.output)
    print(f"Open {options.output / 'html' / 'index.html'}")
    return code or int(bool(dead))


def _build(builder: str, output: Path) -> int:
    flags = ["--fail-on-warning", "--keep-going", "--quiet", "--nitpicky", "--fresh-env"]
    doctrees = output / "doctrees"
    return build_main(
        [*flags, "-b", builder, "-d", f"{doctrees}", f"{HERE}", f"{output / builder}"]
    )


if __name__ == "__main__":
    gc.disable()  # the documents of all pages stay in memory, and collections walk through them
    sys.exit(main(sys.argv[1:]))
