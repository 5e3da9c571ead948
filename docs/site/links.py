"""Check the built site: every link leads to a file and an id, and nothing comes from elsewhere."""

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["broken"]

# Attributes that a browser fetches by itself, and those that a reader follows.
_FETCHED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src")}
_FOLLOWED = {("a", "href")}


class _Page(HTMLParser):
    """The ids of a page and its links, each with whether a browser fetches it by itself."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[str, bool]] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if value and (tag, name) in _FETCHED | _FOLLOWED:
                self.links.append((value, (tag, name) in _FETCHED))


def broken(folder: Path) -> Iterator[str]:
    """Yield a sentence for each link of the site that leads nowhere or leaves it unasked."""
    pages = {path: _Page(path) for path in sorted(folder.rglob("*.html"))}
    target = cache(_target)  # all pages of a folder have the same links to all others
    for path, page in pages.items():
        for link, is_fetched in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if is_fetched:
                    yield f"{path.relative_to(folder)} fetches {link} from another site"
            elif not _resolves(
                target(path.parent, parts.path) if parts.path else path, parts.fragment, pages
            ):
                yield f"{path.relative_to(folder)} links to {link}, which does not exist"


def _target(folder: Path, relative: str) -> Path | None:
    """Return the file that a link leads to, or None if it does not exist."""
    target = (folder / unquote(relative)).resolve()
    if target.is_dir():
        target /= "index.html"
    return target if target.exists() else None


def _resolves(target: Path | None, fragment: str, pages: dict[Path, _Page]) -> bool:
    if fragment and target in pages:
        return unquote(fragment) in pages[target].ids
    return target is not None
