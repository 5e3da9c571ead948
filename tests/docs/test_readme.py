"""README is short, and its steps lead a newcomer to a socket that greets and closes."""

import re

import pytest

from tests.docs.newcomer import follow
from tests.docs.pages import read
from tests.docs.project import Project

MOST_WORDS = 500


def words(text):
    """Return the words of a page without its code blocks, comments and link targets.

    Whatever stands between blanks counts, as `wc -w` counts it: also the rules of tables.
    """
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", text).split()


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
    return follow(Project(tmp_path_factory.mktemp("newcomer")))


@pytest.mark.slow
def test_newcomer_sees_hello_ada(console_lines):
    assert '"type":"auth.ok"' in console_lines[0]
    assert console_lines[1] == "hello ada"


@pytest.mark.slow
def test_deleting_the_token_closes_the_newcomers_socket(console_lines):
    assert console_lines[-1] == "closed 4410"
