"""Take the pictures of a reader's first ten minutes: `python -m docs.make_walk`. Needs Chromium.

The reader opens README and the tutorial, builds the tutorial's site, talks on its socket, and
deletes the token. Everything is real: the built pages, the site on its own server, and the close.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from docs.__main__ import main as build
from docs.make_pictures import IMAGES
from tests.browser.chromium import chromium
from tests.docs.pages import ROOT, read
from tests.docs.project import Project
from tests.docs.tutorial import DEADLINE, PAGE, SIGNED_OUT, delete_token, log_in, talk, tried

FOLDER = IMAGES / "walk"
DESK = {"width": 900, "height": 600}
TEXT = {"width": 760, "height": 500}
SITE = {"width": 620, "height": 190}
ADMIN = {"width": 700, "height": 420}
PHONE = {"width": 390, "height": 844}

# As a repository's page shows Markdown: the width and the fonts, without anything around it.
README = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<base href="%s/">
<style>
  body { max-width: 700px; margin: 20px auto; font: 16px/1.5 system-ui, sans-serif; }
  h1, h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; line-height: 1.25; }
  pre { padding: 16px; overflow: auto; border-radius: 6px; background: #f6f8fa; line-height: 1.45; }
  code { font: 85%% ui-monospace, monospace; }
  img { max-width: 100%%; }
</style>
%s
"""


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, chromium() as browser:
        _read_documents(browser, Path(folder))
        (Path(folder) / "project").mkdir()
        project = Project(Path(folder) / "project")
        project.write(read(PAGE))
        with tried(project) as site:
            _use_site(browser, site)


def _read_documents(browser: Browser, folder: Path) -> None:
    readme = folder / "readme.html"
    text = MarkdownIt("commonmark").enable("table").render(read("README.md"))
    readme.write_text(README % (ROOT.as_uri(), text))
    _take(_opened(browser, readme.as_uri(), TEXT), "readme")
    if build(["--output", str(folder / "site")]):
        raise SystemExit("The site was not built: correct what is named above.")
    html = folder / "site" / "html"
    _take(_opened(browser, (html / "tutorial" / "index.html").as_uri(), DESK), "tutorial")
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport=PHONE, color_scheme=scheme)
        page.goto((html / "index.html").as_uri())
        _take(page, f"phone-{scheme}")


def _use_site(browser: Browser, site: str) -> None:
    page, admin = browser.new_page(viewport=SITE), browser.new_page(viewport=ADMIN)
    log_in(page, site)
    talk(page)
    _take(page, "connected")
    delete_token(admin, site)
    _take(admin, "deleted")
    admin.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("status")).to_have_text(SIGNED_OUT, timeout=DEADLINE)
    _take(page, "signed-out")


def _opened(browser: Browser, url: str, size: dict[str, int]) -> Page:
    page = browser.new_page(viewport=size)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return page


def _take(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
