"""The tutorial's files make a site whose socket closes when its token is deleted."""

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import chromium
from tests.docs.pages import read, snippets
from tests.docs.project import Project
from tests.docs.tutorial import (
    DEADLINE,
    PAGE,
    SIGNED_OUT,
    delete_token,
    log_in,
    talk,
    tried,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("tutorial"))
    project.write(read(PAGE))
    return project


@pytest.fixture(scope="module")
def site(project):
    with tried(project) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(DEADLINE)
    yield page
    page.close()


def test_reader_logs_in_talks_and_is_signed_out_when_the_token_is_deleted(site, browser, page):
    log_in(page, site)
    talk(page)
    admin = browser.new_page()
    admin.set_default_timeout(DEADLINE)
    delete_token(admin, site)
    admin.get_by_role("button", name="Yes").click()
    expect(page.get_by_role("status")).to_have_text(SIGNED_OUT, timeout=DEADLINE)


def test_wrong_token_is_refused_with_the_code_on_the_page(site, page):
    (script,) = snippets(PAGE, "js")
    page.goto(f"{site}/")
    with page.expect_console_message() as message:
        page.evaluate(f"() => {{ {script} }}")
    assert message.value.text == "4401"


def test_tests_of_the_reader_pass(project):
    assert "Found 2 test(s)" in project.manage("test")


def test_it_says_what_to_type_until_the_release():
    assert "not released yet" in read(PAGE)
