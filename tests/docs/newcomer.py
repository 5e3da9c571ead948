"""Follow README's five steps as a newcomer does, in a browser: log in, paste, click, delete."""

from playwright.sync_api import Page

from tests.browser.chromium import chromium
from tests.docs.browser import PASSWORD
from tests.docs.hello_site import typed
from tests.docs.pages import snippets
from tests.docs.project import Project, section

__all__ = ["follow"]

STEPS = '## Five steps to "hello ada"'
DEADLINE = 240_000  # milliseconds; long, since it only ends what is broken


def follow(project: Project) -> list[str]:
    """Return the lines of the browser's console: until the greeting, and until the close."""
    project.write(section("README.md", STEPS))
    _, commands, *_ = snippets("README.md", "sh", STEPS)
    key = typed(project, commands).splitlines()[-1].split()[2]
    (script,) = snippets("README.md", "js", STEPS)
    assert "manage.py runserver" in commands
    with project.serve() as base, chromium() as browser:
        context = browser.new_context()
        context.set_default_timeout(DEADLINE)
        page, lines = _logged_in(context.new_page(), base), []
        page.on("console", lambda line: lines.append(line.text) if line.type == "log" else None)
        with page.expect_console_message(lambda line: line.text.startswith("hello")):
            script = script.replace("127.0.0.1:8000", base).replace("YOUR-TOKEN", key)
            page.evaluate(f"() => {{ {script} }}")
        with page.expect_console_message(lambda line: line.text.startswith("closed")):
            _delete_token(context.new_page(), base, key)
        return lines


def _logged_in(page: Page, base: str) -> Page:
    page.goto(f"http://{base}/admin/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Site administration").wait_for()
    return page


def _delete_token(page: Page, base: str, key: str) -> None:
    """Click through the admin, as README says in words."""
    page.goto(f"http://{base}/admin/")
    page.get_by_role("link", name="Tokens", exact=True).first.click()
    page.get_by_role("link", name=key).click()
    page.get_by_text("Delete", exact=True).click()  # a link, and from Django 6.1 on a button
    page.get_by_role("button", name="Yes").click()
