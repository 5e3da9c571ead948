"""Write `llms.txt`, an index for language models, and `llms-full.txt`, every page in one file."""

from pathlib import Path

from docutils import nodes

from docs.site.documents import text_of

INTRODUCTION = """\
# channels-token-auth

> Token authentication for WebSockets in Django Channels: a Python library (a Django app), a \
TypeScript client, and a written protocol. It authenticates each socket in its opening handshake, \
and closes it when its token expires or is revoked.

Every page in one file: [llms-full.txt](llms-full.txt)

## Pages
"""


def _write(app, exception):
    if exception or app.builder.name != "html":
        return
    names = list(_in_order(app.env, app.config.root_doc))
    out = Path(app.outdir)
    lines = [_entry(app.env, name) for name in names]
    (out / "llms.txt").write_text("\n".join([INTRODUCTION, *lines, ""]))
    pages = [text_of(name, Path(app.env.doc2path(name)).read_text()).strip() for name in names]
    (out / "llms-full.txt").write_text("\n\n---\n\n".join(pages) + "\n")


def _in_order(env, name):
    """Yield the pages as a reader meets them in the navigation."""
    yield name
    for child in env.toctree_includes.get(name, ()):
        yield from _in_order(env, child)


def _entry(env, name):
    title = env.titles[name].astext()
    first = next(iter(env.get_doctree(name).findall(nodes.paragraph)), None)
    summary = f": {' '.join(first.astext().split())}" if first else ""
    return f"- [{title}](_sources/{name}.md.txt){summary}"


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
