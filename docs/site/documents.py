"""Show the documents outside docs/ as pages, and make links between all of them work on the site.

A page such as `reference/protocol.md` has one line on GitHub, a link to the document. On the site
it has that document's text. Links in it are relative to the document, so they are rewritten.
"""

import os
import re
from pathlib import Path

__all__ = ["DOCUMENTS", "text_of"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# The page on the site, and the document in the repository.
DOCUMENTS = {
    "explanation/benchmarks": "benchmarks/README.md",
    "project/changelog": "CHANGELOG.md",
    "project/contributing": "CONTRIBUTING.md",
    "project/releasing": "RELEASING.md",
    "reference/protocol": "spec/PROTOCOL.md",
    "reference/vectors": "spec/README.md",
    "security/index": "SECURITY.md",
}
_PAGES = {ROOT / document: f"{page}.md" for page, document in DOCUMENTS.items()}
_PAGES |= {ROOT / "README.md": "index.md"}
_FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[([^\]\[]*)\]\((?!https?:|#|mailto:)([^)\s#]+)(#[^)\s]*)?\)")


def text_of(docname: str, text: str) -> str:
    """Return the Markdown of a page with links that resolve from its place in docs/."""
    source = DOCS / f"{docname}.md"
    if document := DOCUMENTS.get(docname):
        source = ROOT / document
        text = source.read_text()
    place = (DOCS / docname).parent
    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(lambda link: _link(link, source, place), part) for part in parts[::2]]
    return "".join(parts)


def _link(link: re.Match[str], source: Path, place: Path) -> str:
    """Return a link from its place on the site, or its text if it leads to no page or file."""
    path = Path(os.path.normpath(source.parent / link[2]))
    page = DOCS / _PAGES.get(path, path)
    if path.is_dir():
        page = path / "index.md"
    is_page = page.is_relative_to(DOCS)
    if not page.exists() or (page.suffix == ".md" and not is_page):
        return link[1]
    return f"[{link[1]}]({os.path.relpath(page, place)}{link[3] or ''})"


def _read(_app, docname, source):
    source[0] = text_of(docname, source[0])


def setup(app):
    """Register with Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
