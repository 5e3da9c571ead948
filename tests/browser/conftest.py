"""Debian's browsers, and a running example for its pages."""

import re

import pytest
from playwright.sync_api import Error, expect

from tests.browser.chromium import chromium
from tests.browser.firefox import firefox
from tests.example.system import UNTHROTTLED, ExampleSystem

DEADLINE = 240_000  # milliseconds; long, since it only ends what is broken
expect.set_options(timeout=DEADLINE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test whose Chromium is too old for a command of Playwright, and name the command."""
    try:
        return (yield)
    except Error as error:
        if missing := re.search(r"'([\w.]+)' wasn't found", error.message):
            pytest.skip(f"This Chromium has no {missing[1]}: install a newer one")
        raise


@pytest.fixture(scope="package")
def browser():
    """Return a browser that ends with these modules, as its event loop does."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def fox(tmp_path_factory):
    with firefox(tmp_path_factory.mktemp("firefox")) as running:
        yield running


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    """A module logs in as often as its tests need, however quick the machine is."""
    with ExampleSystem(tmp_path_factory.mktemp("example"), **UNTHROTTLED) as running:
        yield running


@pytest.fixture
def folder(system, tmp_path):
    """Return a folder for a system of the test's own, which has its tables and users already."""
    return system.copy_database(tmp_path)


@pytest.fixture
def new_page(browser):
    """Opens pages, each in a profile of its own; a page that throws fails its test."""
    contexts, errors = [], []

    def open_page(url, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(DEADLINE)
        page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - it marks what it calls
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def page_of_all(browser):
    """Return a page that all tests of a module share."""
    page = browser.new_page()
    page.set_default_timeout(DEADLINE)
    yield page
    page.close()


@pytest.fixture
def load(page_of_all):
    """Load pages, one after the other, in the same profile: they keep nothing there.

    A profile and a process for each test would take twice the processor time.
    """
    errors = []

    def note(error):
        errors.append(error)

    def load(url):
        page_of_all.goto(url)
        return page_of_all

    page_of_all.on("pageerror", note)
    yield load
    page_of_all.remove_listener("pageerror", note)
    assert errors == []
