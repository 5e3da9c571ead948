"""Mend what the theme's HTML lacks for screen readers and keyboards, on every page."""

import re
from pathlib import Path

__all__ = ["mended"]

# What Sphinx or the theme writes, and what it should be.
_REPLACEMENTS = [
    # A heading has a level (WAI-ARIA 1.2, "heading").
    ('class="caption" role="heading"', 'class="caption" role="heading" aria-level="2"'),
    # What scrolls can be reached and scrolled by keyboard (WCAG 2.1.1).
    ("<pre>", '<pre tabindex="0">'),
    ('<div class="table-wrapper', '<div tabindex="0" class="table-wrapper'),
    # Two landmarks of one kind have names.
    ('<aside class="sidebar-drawer">', '<aside class="sidebar-drawer" aria-label="Navigation">'),
    ('<aside class="toc-drawer">', '<aside class="toc-drawer" aria-label="On this page">'),
]
_PICTURE = re.compile(r'<p>(<img [^>]*\.svg")')


def mended(html: str) -> str:
    """Return a page with these repairs."""
    for found, right in _REPLACEMENTS:
        html = html.replace(found, right)
    return _PICTURE.sub(r'<p tabindex="0">\1', html)


def _mend(app, exception):
    if exception or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        if "_downloads" not in path.parts:
            path.write_text(mended(path.read_text()))


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
