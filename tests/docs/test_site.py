"""The documentation site is built without warnings, works offline, and has all pages."""

import re
import subprocess
import sys

import pytest

from docs.site.links import broken
from docs.site.search import English
from tests.browser.axe import COLORS, SERIOUS, findings
from tests.browser.chromium import chromium
from tests.docs.pages import ROOT

pytestmark = pytest.mark.slow
# A page of each kind, by what is on it.
EACH_KIND = [
    "index",
    "search",
    "tutorial/index",
    "how-to/troubleshooting",
    "how-to/backends/index",
    "explanation/comparison",
    "reference/settings",
    "reference/lifecycle",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site, as `dev.py docs` does; Sphinx's warnings and dead links are errors."""
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "docs", "--output", folder]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder / "html"


@pytest.mark.parametrize(
    "page",
    [
        "tutorial",
        "troubleshooting",
        "migrating",
        "settings",
        "checks",
        "comparison",
        "deployment",
        "htmx",
        "close-codes/4410",
    ],
)
def test_page_exists(site, page):
    assert [path for path in site.rglob("*.html") if page in str(path.relative_to(site))]


def test_search_works_without_a_server(site):
    assert (site / "searchindex.js").stat().st_size > 10_000


def test_word_of_many_pages_is_stemmed_once():
    stem = English({}).stem
    assert [stem("tokens"), stem("tokens")] == ["token", "token"]
    assert stem.cache_info().misses == 1


def test_page_that_fetches_from_another_site_is_found(tmp_path):
    (tmp_path / "index.html").write_text('<script src="https://cdn.example.com/x.js"></script>')
    assert ["fetches" in line for line in broken(tmp_path)] == [True]


@pytest.mark.parametrize("link", ["missing.html", "#missing", "index.html#missing"])
def test_dead_link_is_found(tmp_path, link):
    (tmp_path / "index.html").write_text(f'<a href="{link}">x</a>')
    assert ["does not exist" in line for line in broken(tmp_path)] == [True]


def test_every_page_is_in_one_file_and_in_an_index_for_language_models(site):
    pages = list((site / "_sources").rglob("*.md.txt"))
    index, whole = (site / "llms.txt").read_text(), (site / "llms-full.txt").read_text()
    assert index.count("](_sources/") == len(pages)
    assert whole.count("# Settings\n") == whole.count("# 4410: revoked\n") == 1


@pytest.fixture(scope="module")
def browser():
    with chromium("--allow-file-access-from-files") as running:
        yield running


def pages_of(site):
    return [path for path in sorted(site.rglob("*.html")) if "_downloads" not in path.parts]


@pytest.fixture(scope="module")
def phone(browser):
    """A page for all tests: a new one would compile the scripts of the site and of axe again."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    yield page
    page.close()


@pytest.mark.parametrize("name", EACH_KIND)
def test_axe_finds_nothing_serious(site, phone, name):
    phone.emulate_media(color_scheme="light")
    phone.goto(f"file://{site / name}.html")
    found = findings(phone, SERIOUS)
    phone.emulate_media(color_scheme="dark")
    found += findings(phone, SERIOUS, rules=COLORS)
    assert found == []


def test_tree_of_all_pages_marks_the_page_and_what_is_above_it(site):
    page = (site / "how-to" / "backends" / "knox.html").read_text()
    current = re.findall(
        r'<li class="(toctree-l\d) current[^"]*"><a class="([^"]*)" href="(.*?)"', page
    )
    assert current == [
        ("toctree-l1", "reference internal", "index.html"),
        ("toctree-l2", "current reference internal", "#"),
    ]
    assert page.count('checked=""') == 1  # the list that is open
    assert 'href="../../reference/settings.html"' in page


# Show the text of another page in this one, with its pictures, and return if it is too wide. All
# pages have this one's frame and styles: to load each would take three times as long.
IS_WIDE = """async ([place, html]) => {
  document.querySelector("base").href = place;
  document.querySelector(".page").innerHTML = html;
  await Promise.all([...document.images].map((image) => image.decode()));
  const root = document.documentElement;
  return root.scrollWidth > root.clientWidth;
}"""


def test_no_page_scrolls_sideways_on_the_smallest_phone(site, browser):
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(f"file://{site / 'index.html'}")
    page.evaluate("document.head.prepend(document.createElement('base'))")
    texts = {path: path.read_text().partition('<div class="page">')[2] for path in pages_of(site)}
    wide = [
        path for path, text in texts.items() if page.evaluate(IS_WIDE, [f"file://{path}", text])
    ]
    picture = '<article><p><img style="max-width: none" src="_images/readme.png"></p></article>'
    assert page.evaluate(IS_WIDE, [f"file://{site}/", picture])
    page.close()
    assert all(texts.values())
    assert wide == []


def test_search_finds_a_setting_without_a_server(site, browser):
    page = browser.new_page()
    page.goto(f"file://{site / 'search.html'}?q=SWEEP_GRACE")
    page.get_by_role("link", name="SWEEP_GRACE").first.wait_for(timeout=240_000)
    page.close()
