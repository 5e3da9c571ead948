"""The check of how docstrings open, and of words that have another name in the field."""

import pytest

from tools.prose import findings, forbidden_names, forbidden_words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('"""What a socket holds."""', 1),
        ('"""Items: what a socket holds."""', 0),
        ('"""Whatever a backend raises."""', 0),
        ('class A:\n    """Fine."""\n\n    x = 1\n    """It is one."""', 5),
        ('async def f():\n    """Whether it may."""', 2),
        ("x = 'What a string'", 0),
    ],
)
def test_docstring_that_opens_with_a_riddle_is_found_with_its_line(tmp_path, text, number):
    (tmp_path / "module.py").write_text(text)
    assert [line.split(":")[1] for line in findings(tmp_path)] == [str(number)] * bool(number)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def hear():\n    pass", [1]),
        ("x = 1\nclass Step:\n    TELL = 2", [3]),
        ("self._isTold = wasHeard", [1, 1]),
        ("SingleFlight, single_flight = 1, 2", []),
        ("retell = hearing_aid", []),
    ],
)
def test_name_with_a_forbidden_word_is_found_with_its_line(source, lines):
    assert [number for number, _ in forbidden_names(source)] == lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("# The node hears of it.", [1]),
        ('"""One line.\n\nThe client is told.\n"""', [3]),
        ("x = 'Tell the user.'", [1]),
        ("# shares one `single_flight`", []),
        ("x = 'eyHe-judge-3'  # sent", []),
    ],
)
def test_text_with_a_forbidden_word_is_found_with_its_line(source, lines):
    assert [number for number, _ in forbidden_words(source)] == lines
