"""Fill the generated parts of the pages from the code: `python -m docs.generate`.

A page marks such a part with `<!-- generated: NAME ARGUMENTS -->` and `<!-- end -->`. Everything
between the two is replaced by what the generator of that name returns. A test fails if a page is
out of date, so that no table can differ from the code.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import django
from django.apps import apps

if not apps.ready:  # as a program: the code to describe needs Django's settings
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from docs.generators import GENERATORS

__all__ = ["filled", "pages"]

DOCS = Path(__file__).resolve().parent
_PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[\w-]+)(?P<arguments>[^>]*?) -->\n)"
    r".*?(?P<end><!-- end -->)",
    re.DOTALL,
)


def pages() -> Iterator[Path]:
    """Yield every page that has a generated part."""
    root = DOCS.parent
    readme = [root / "README.md", root / "benchmarks" / "README.md"]
    for path in [*readme, *sorted(DOCS.rglob("*.md"))]:
        if "_build" not in path.parts and _PART.search(path.read_text()):
            yield path


def filled(text: str) -> str:
    """Return the text of a page with all its generated parts up to date."""
    return _PART.sub(_fill, text)


def _fill(part: re.Match[str]) -> str:
    made = GENERATORS[part["name"]](*part["arguments"].split())
    return f"{part['start']}\n{made.strip()}\n\n{part['end']}"


if __name__ == "__main__":
    for path in pages():
        path.write_text(filled(path.read_text()))
