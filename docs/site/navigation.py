"""Resolve the tree of all pages once, and give each page a copy with its links and its own place.

Sphinx resolves the tree for each page, and the theme parses each page's again: with a hundred pages
that took two fifths of the build.
"""

import re
from typing import Any

from furo.navigation import get_navigation_tree
from sphinx.environment.adapters.toctree import global_toctree_for_doc
from sphinx.util.osutil import relative_uri

__all__ = ["Tree"]

# The theme makes its tree from Sphinx's `toctree`, in a handler of the usual priority, 500.
_BEFORE, _AFTER = 400, 600
_TAG = re.compile(r'(<ul>|</ul>|<li class="[^"]*"><a [^>]*>|</li>|<input )')
_ENTRY = re.compile(
    r'<li class="(toctree-l\d+)([^"]*)"><a class="reference internal" href="([^"]*)">'
)


class Tree:
    """The tree of the root page, in pieces: each second one is a tag."""

    def __init__(self, html: str) -> None:
        self._pieces = _TAG.split(html)
        # The numbers of the tags that show where a page is: those of its entry and those around it.
        self._places: dict[str, list[int]] = {}
        self._links: dict[int, str] = {}
        self._find_places()

    def of(self, uri: str) -> str:
        """Return the tree of the page that has this address below the root."""
        pieces = self._pieces.copy()
        for number, link in self._links.items():
            pieces[number] = pieces[number].replace(f'"{link}"', f'"{relative_uri(uri, link)}"')
        for number in self._places.get(uri, ()):
            pieces[number] = _current(pieces[number], is_page=self._links.get(number) == uri)
        return "".join(pieces)

    def _find_places(self) -> None:
        around: list[int] = []
        entries: list[tuple[str, int]] = []  # the open ones, and how many tags are around each
        for number, tag in list(enumerate(self._pieces))[1::2]:
            if tag == "</ul>":
                around.pop()
            elif tag == "</li>":
                del around[entries.pop()[1] :]
            else:
                around.append(number)
            if entry := _ENTRY.match(tag):
                entries.append((entry[3], len(around) - 1))
                self._links[number] = entry[3]
                self._places[entry[3]] = around.copy()
            elif tag == "<input ":  # of the entry that was opened last
                self._places[entries[-1][0]].append(number)


def _current(tag: str, *, is_page: bool) -> str:
    """Return a tag around the place of the page, as the theme writes it."""
    if tag == "<ul>":
        return '<ul class="current">'
    if tag == "<input ":
        return '<input checked="" '
    tag = _ENTRY.sub(r'<li class="\1 current\2"><a class="reference internal" href="\3">', tag)
    if not is_page:
        return tag
    tag = tag.replace('"><a class="', ' current-page"><a class="current ')
    return re.sub('href="[^"]*"', 'href="#"', tag)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    trees: list[Tree] = []

    def keep_from_the_theme(app, name, template, context, doctree):
        context.pop("toctree", None)

    def place(app, name, template, context, doctree):
        if not trees:
            trees.append(Tree(_html(app)))
        context["furo_navigation_tree"] = trees[0].of(app.builder.get_target_uri(name))

    app.connect("html-page-context", keep_from_the_theme, priority=_BEFORE)
    app.connect("html-page-context", place, priority=_AFTER)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _html(app: Any) -> str:
    """Return the theme's tree of the root page: its links begin there, and none is current."""
    options = {"collapse": False, "maxdepth": -1, "titles_only": True, "includehidden": True}
    root = app.config.root_doc
    tree = global_toctree_for_doc(app.env, root, app.builder, tags=app.tags, **options)
    return get_navigation_tree(app.builder.render_partial(tree)["fragment"])
