"""List the system checks of the library, as their calls stand in its source.

A check that fires depends on a site's settings, so no run shows all of them. The source does: every
message is a call with `id="channels_token_auth.…"`, such as `checks.Error(message, hint=…, id=…)`.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import channels_token_auth

__all__ = ["listed", "numbers"]

SOURCE = Path(channels_token_auth.__file__).parent
NUMBER = re.compile(r"[EWI]\d{3}")
ID = re.compile(r"channels_token_auth\.([EWI]\d{3})")
# Messages that the code puts together.
COMPOSED = {
    "E001": "A setting has a wrong value. The message names the setting, and says what it must be.",
    "E002": "A backend cannot be imported or built. The message names it, and says why.",
    **dict.fromkeys(
        ("E111", "E125", "E171"),
        "The user field or function of a backend cannot be found, or the field is not unique.",
    ),
    "E170": "An option of the introspection backend is missing or unsafe. The message names it.",
    "E181": "allauth's token strategy makes session tokens of its own, which cannot be verified.",
}
GAP = "…"


@dataclass(frozen=True, slots=True, order=True)
class Check:
    """One message: its number, text and remedy."""

    number: str
    message: str
    hint: str


def listed() -> str:
    """Return a section for each check, errors first."""
    return "\n\n".join(map(_section, sorted(set(_checks()), key=_order)))


def numbers() -> set[str]:
    """Return the numbers of all checks."""
    return {check.number for check in _checks()}


def _order(check: Check) -> tuple[int, str]:
    return "EWI".index(check.number[0]), check.number


def _section(check: Check) -> str:
    hint = f"\n\nRemedy: {check.hint}" if check.hint.strip(GAP) else ""
    return f"### {check.number}\n\n{check.message}{hint}"


def _checks() -> Iterator[Check]:
    for path in sorted(SOURCE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call):
                yield from _of_call(call)


def _of_call(call: ast.Call) -> Iterator[Check]:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if number := ID.fullmatch(_text(given.get("id"))):
        yield _check(number[1], _text(call.args[0]), _text(given.get("hint")))
    for argument in call.args:  # a check that several backends share, with a number for each
        if isinstance(argument, ast.Constant) and NUMBER.fullmatch(str(argument.value)):
            yield _check(argument.value, *_shared(call, argument.value))


def _check(number: str, message: str, hint: str) -> Check:
    message = COMPOSED.get(number, message)
    return Check(number, _escaped(message), _escaped(hint))


def _shared(caller: ast.Call, number: str) -> tuple[str, str]:
    """Return the texts of a check on a token's shape, or on the users that claims name."""
    is_shape = ast.unparse(caller.func) == "check_shape"
    module = SOURCE / "backends" / ("shape.py" if is_shape else "sources/claimed_users.py")
    level = {"E": "Error", "W": "Warning"}[number[0]]
    for call in ast.walk(ast.parse(module.read_text())):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(level) and call.keywords:
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            return _text(call.args[0]), _text(given.get("hint"))
    raise LookupError(f"{module} has no {level}")


def _text(node: ast.expr | None) -> str:
    """Return the text of a literal; a gap for each value that is filled in when the check runs."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _text(left) + _text(right)
        case ast.IfExp(body=body):
            return _text(body)
        case None | ast.Constant():
            return ""
    return GAP


def _escaped(text: str) -> str:
    return re.sub(r"([*_<>\[\]|])", r"\\\1", text)
