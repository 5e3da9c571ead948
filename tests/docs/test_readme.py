"""README is short, and its steps lead a newcomer to a socket that greets and closes."""

import re

import pytest

from tests.docs.browser import PASSWORD, Admin, Console
from tests.docs.pages import read, snippets
from tests.docs.project import Project, section

STEPS = '## Five steps to "hello ada"'
MOST_WORDS = 500


def words(text):
    """Return the words of a page without its code blocks, comments and link targets."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\S*\w\S*", re.sub(r"\]\([^)]*\)", "]", text))


def test_it_has_at_most_500_words():
    assert len(words(read("README.md"))) <= MOST_WORDS


def test_words_of_code_and_link_targets_do_not_count():
    assert words("one [two](https://three.example)\n```sh\nfour\n```\n<!-- five -->") == [
        "one",
        "[two]",
    ]


def test_it_has_the_two_commands():
    assert "python3 dev.py demo" in read("README.md")
    assert "python3 dev.py test" in read("README.md")


def test_it_says_what_to_type_until_the_release():
    page = read("README.md")
    assert "not released yet" in page
    assert 'pip install "/path/to/channels-token-auth[drf]" daphne' in page


@pytest.fixture(scope="module")
def console_lines(tmp_path_factory):
    """Follow the steps as a newcomer does, and return what the browser's console shows."""
    steps = section("README.md", STEPS)
    project = Project(tmp_path_factory.mktemp("newcomer"))
    project.write(steps)
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


def _typed(project, commands):
    """Type the commands before `runserver`, and return the token that one of them prints."""
    for command in re.findall(r"python manage\.py (.*)", commands):
        name, *arguments = command.split()
        if name == "createsuperuser":
            arguments += ["--noinput", "--email=ada@example.com"]
        if name != "runserver":
            printed = project.manage(name, *arguments, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    return printed.split()[2]


@pytest.mark.slow
def test_newcomer_sees_hello_ada(console_lines):
    assert console_lines[0] == "hello ada"


@pytest.mark.slow
def test_deleting_the_token_closes_the_newcomers_socket(console_lines):
    assert console_lines[1] == "closed 4410"
