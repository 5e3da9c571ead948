"""The check of how docstrings open."""

import pytest

from tools.prose import findings


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
