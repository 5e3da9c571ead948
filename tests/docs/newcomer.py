"""Follow README's five steps as a newcomer does, and tell what the browser's console shows."""

import re

from tests.docs.browser import PASSWORD, Admin, Console
from tests.docs.pages import snippets
from tests.docs.project import Project, section

__all__ = ["follow"]

STEPS = '## Five steps to "hello ada"'


def follow(project: Project) -> list[str]:
    """Return the greeting, and the line that comes when the token is deleted in the admin."""
    project.write(section("README.md", STEPS))
    _, commands, *_ = snippets("README.md", "sh", STEPS)
    key = _typed(project, commands)
    (script,) = snippets("README.md", "js", STEPS)
    assert "manage.py runserver" in commands
    with project.serve() as base:
        script = script.replace("127.0.0.1:8000", base).replace("YOUR-TOKEN", key)
        with Console.run(script) as console:
            greeting = console.line()
            Admin(base).delete_token()
            return [greeting, console.line()]


def _typed(project: Project, commands: str) -> str:
    """Type the commands before `runserver`, and return the token that one of them prints."""
    printed = ""
    for command in re.findall(r"python manage\.py (.*)", commands):
        name, *arguments = command.split()
        if name == "createsuperuser":
            arguments += ["--noinput", "--email=ada@example.com"]
        if name != "runserver":
            printed = project.manage(name, *arguments, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    return printed.split()[2]
