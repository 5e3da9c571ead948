"""Follow the tutorial as its reader does: type the commands, and click in a browser."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.docs.browser import PASSWORD
from tests.docs.hello_site import typed
from tests.docs.pages import snippets
from tests.docs.project import Project

__all__ = ["CONNECTED", "DEADLINE", "PAGE", "SIGNED_OUT", "delete_token", "log_in", "talk", "tried"]

PAGE = "docs/tutorial/index.md"
DEADLINE = 240_000  # milliseconds; long, since it only ends what is broken
CONNECTED, SIGNED_OUT = "You are connected.", "You were signed out (4410)."
TOKENS = "/admin/authtoken/tokenproxy/"


@contextmanager
def tried(project: Project) -> Iterator[str]:
    """Type the commands of "Try it", and yield the site's address."""
    (commands,) = (block for block in snippets(PAGE, "sh") if "runserver" in block)
    typed(project, commands)
    with project.serve() as base:
        yield f"http://{base}"


def log_in(page: Page, site: str) -> None:
    """Log in on the site's page, and wait for the greeting."""
    page.goto(f"{site}/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("status")).to_have_text(CONNECTED, timeout=DEADLINE)
    expect(page.locator("#log")).to_contain_text("hello ada", timeout=DEADLINE)


def talk(page: Page) -> None:
    """Send a text, and wait for the answer."""
    page.get_by_label("Text").fill("good morning")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("You wrote: good morning", timeout=DEADLINE)


def delete_token(page: Page, site: str) -> None:
    """Log in to the admin, and delete the only token up to the question whether to do so."""
    page.goto(f"{site}{TOKENS}")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#result_list tbody th a").click()
    page.get_by_text("Delete", exact=True).click()  # a link, and from Django 6.1 on a button
    page.get_by_role("button", name="Yes").wait_for()
