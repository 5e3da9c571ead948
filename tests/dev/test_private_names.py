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
        ('assert "the server is away" in text', True),
        ('assert message.id == "channels_token_auth.W001"', False),
        ('assert True, "the server is away"', False),
        ('pytest.raises(ValueError, match="needs a user name")', True),
        ('text = "the server is away"', False),
    ],
)
def test_sentences_that_are_asserted_are_found(tmp_path, line, is_found):
    (tmp_path / "test_a.py").write_text(line)
    assert len(list(sentences(tmp_path))) == is_found
