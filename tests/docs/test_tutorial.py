"""The tutorial's files make a site whose socket closes when its token is deleted."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import chromium
from tests.docs.browser import PASSWORD, Admin
from tests.docs.pages import read, snippets
from tests.docs.project import Project

pytestmark = pytest.mark.slow
PAGE = "docs/tutorial/index.md"
DEADLINE = 60_000


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("tutorial"))
    project.write(read(PAGE))
    return project


@pytest.fixture(scope="module")
def site(project):
    """Type the commands of "Try it", and yield the site's address."""
    (commands,) = (block for block in snippets(PAGE, "sh") if "runserver" in block)
    for command in re.findall(r"python manage\.py (.*)", commands):
        name, *arguments = command.split()
        if name == "createsuperuser":
            arguments += ["--noinput", "--email=ada@example.com"]
        if name != "runserver":
            project.manage(name, *arguments, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    with project.serve() as base:
        yield base


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(DEADLINE)
        yield page


def test_reader_logs_in_talks_and_is_signed_out_when_the_token_is_deleted(site, page):
    status = expect(page.get_by_role("status"))
    page.goto(f"http://{site}/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    status.to_have_text("You are connected.", timeout=DEADLINE)
    expect(page.locator("#log")).to_contain_text("hello ada", timeout=DEADLINE)
    page.get_by_label("Text").fill("good morning")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("You wrote: good morning", timeout=DEADLINE)
    Admin(site).delete_token()
    status.to_have_text("You were signed out.", timeout=DEADLINE)


def test_wrong_token_is_refused_with_the_code_on_the_page(site, page):
    (script,) = snippets(PAGE, "js")
    page.goto(f"http://{site}/")
    with page.expect_console_message() as message:
        page.evaluate(f"() => {{ {script} }}")
    assert message.value.text == "4401"


def test_tests_of_the_reader_pass(project):
    assert "Found 2 test(s)" in project.manage("test")


def test_it_says_what_to_type_until_the_release():
    assert "not released yet" in read(PAGE)
