"""The check that tests use public names."""

import pytest

from tools.private_names import findings, private_names, reasons, sentences

LIBRARY = """
_seen = {}

class Sweep:
    def __init__(self):
        self._timer = None

    def _begin(self): ...
"""


def test_names_that_the_library_defines_for_itself_are_private(tmp_path):
    (tmp_path / "sweep.py").write_text(LIBRARY)
    assert private_names(tmp_path) == {"_seen", "_timer", "_begin"}


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("assert sweep._timer is None", True),
        ("from library.sweep import _seen", True),
        ('monkeypatch.setattr(sweep, "_seen", {})', True),
        ('monkeypatch.setattr("library.sweep._seen", {})', True),
        ('getattr(sweep, "_begin")()', True),
        ("self._timer = 1", False),
        ('monkeypatch.delattr(sweep, "_seen")', True),
        ('monkeypatch.delattr("library.sweep._seen")', True),
        ('delattr(sweep, "_seen")', True),
        ('hasattr(sweep, "_seen")', True),
        ('attrgetter("name", "_timer")(sweep)', True),
        ('operator.attrgetter("_timer.when")(sweep)', True),
        ('attrgetter("name")(sweep)', False),
        ("assert sweep.timer is None", False),
        ("os._exit(0)", False),
        ("assert sweep._timer is None  # private: nothing public shows timers", False),
        ("assert sweep._timer is None  # noqa: SLF001", True),
    ],
)
def test_access_without_a_reason_is_found_with_its_line(tmp_path, line, is_found):
    (tmp_path / "test_sweep.py").write_text(f"import os\n\n{line}\n")
    found = list(findings(tmp_path, {"_seen", "_timer", "_begin"}))
    assert [each.split(":")[1] for each in found] == ["3"] * is_found


def test_comments_with_a_reason_are_counted(tmp_path):
    lines = ["a._b  # private: why", '"a._b  # private: a text"', "a._b  # noqa", "# private: too"]
    (tmp_path / "test_a.py").write_text("\n".join(lines))
    assert reasons(tmp_path) == 2


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ('assert "the server is unavailable" in text', True),
        ('assert message.id == "channels_token_auth.W001"', False),
        ('assert True, "the server is unavailable"', False),
        ('pytest.raises(ValueError, match="needs a user name")', True),
        ('text = "the server is unavailable"', False),
    ],
)
def test_sentences_that_are_asserted_are_found(tmp_path, line, is_found):
    (tmp_path / "test_a.py").write_text(line)
    assert len(list(sentences(tmp_path))) == is_found


def a_test(given):
    """Return a test, in which the parameter `words` is compared with an answer."""
    return f"@pytest.mark.parametrize({given})\ndef test(given, words): assert words in answer"


REACHING = {
    "only value": a_test('"words", ["a", "the server is unavailable"]'),
    "second value": a_test('("given", "words"), [(1, "a"), (2, "the server is unavailable")]'),
    "names in one text": a_test('"given, words", [(1, "the server is unavailable")]'),
    "marked row": a_test('("given", "words"), [pytest.param(1, "the server is unavailable")]'),
    "row of another shape": a_test('("given", "words"), [(*given, "the server is unavailable")]'),
    "rows elsewhere": 'ROWS = ["the server is unavailable"]\n' + a_test('"words", ROWS'),
    "by keywords": a_test('argvalues=["the server is unavailable"], argnames="words"'),
    "warning": """
def test():
    with pytest.warns(UserWarning, match="the server is unavailable"): act()
""",
    "of a class": """
@pytest.mark.parametrize("words", ["the server is unavailable"])
class TestAll:
    async def test(self, words):
        with pytest.raises(ValueError, match=words): act()
""",
    "variable of the module": """
WORDS: str = "the server is unavailable"
def test(): assert answer() == [WORDS]
""",
    "local variable": """
def test():
    words = ["the server is unavailable"]
    assert words[0] in answer
""",
    "by another variable": """
AWAY = "the server is unavailable"
def test():
    line = f"Retry: {AWAY}"
    assert answer == line
""",
    "pattern": """
WORDS = re.compile(re.escape("the server is unavailable"))
def test(): assert WORDS.match(answer)
""",
    "method of a text": """
def test():
    words = "{} is unavailable right now".format(name)
    assert words in answer
""",
    "loop": """
def test():
    for name, words in [("a", "the server is unavailable")]: assert words in answer
""",
    "walrus": """
def test():
    if words := "the server is unavailable": assert words in answer
""",
}
"""Sources in which one sentence reaches an assert."""

NOT_REACHING = {
    "another value": a_test('("given", "words"), [("the server is unavailable", "a")]'),
    "id of a row": a_test('"words", [pytest.param("a", id="the server is unavailable")]'),
    "ids of rows": a_test('"words", ["a"], ids=["the server is unavailable"]'),
    "key of a table": 'ROWS = {"the server is unavailable": "a"}\n' + a_test('"words", ROWS'),
    "key that is looked up": """
@pytest.mark.parametrize("scene", ["the server is unavailable"])
def test(scene): assert answers[scene] == 1
""",
    "another value of a loop": """
def test():
    for given, words in [("the server is unavailable", "a")]: assert words in answer
""",
    "id of a row that is made": a_test(
        '"words", [pytest.param(x, id=a) for a, x in [("the server is unavailable", "a")]]'
    ),
    "input of a call": """
def test():
    answer = act("the server is unavailable")
    assert answer == 1
""",
    "variable of another function": """
def one():
    words = "the server is unavailable"
def test(words): assert words in answer
""",
}
"""Sources in which none does: the text is input, or it names a case."""


@pytest.mark.parametrize("source", REACHING.values(), ids=REACHING)
def test_sentence_that_reaches_an_assert_is_found_once(tmp_path, source):
    (tmp_path / "test_a.py").write_text(source)
    assert len(list(sentences(tmp_path))) == 1


@pytest.mark.parametrize("source", NOT_REACHING.values(), ids=NOT_REACHING)
def test_text_that_is_compared_with_no_answer_is_left(tmp_path, source):
    (tmp_path / "test_a.py").write_text(source)
    assert not list(sentences(tmp_path))
