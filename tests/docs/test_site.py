"""The documentation site is built without warnings, works offline, and has all pages."""

import subprocess
import sys

import pytest

from docs.site.links import broken
from tests.docs.pages import ROOT

pytestmark = pytest.mark.slow


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
