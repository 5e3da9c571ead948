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

from .literals import GAP, escaped, text_of

__all__ = ["listed", "numbers"]

SOURCE = Path(channels_token_auth.__file__).parent
NUMBER = re.compile(r"[EWI]\d{3}")
ID = re.compile(r"channels_token_auth\.([EWI]\d{3})")
# Messages that the code puts together.
COMPOSED = {
    "E001": "A setting has a wrong value. The message names the setting, and says what it must be.",
    "E002": "A backend cannot be imported or built. The message names it, and says why.",
    **dict.fromkeys(
        ("E022", "E111", "E125", "E171"),
        "The user field or function of a backend cannot be found, or the field is not unique.",
    ),
    "E170": "An option of the introspection backend is missing or unsafe. The message names it.",
    "E011": "The class in TENANTS cannot be used. The message says why.",
    "E020": "An entry of IDENTITY_PROVIDERS cannot be used. The message says why.",
    "E181": "allauth's token strategy makes session tokens of its own, which cannot be verified.",
}


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
    if number := ID.fullmatch(text_of(given.get("id"))):
        yield _check(number[1], text_of(call.args[0]), text_of(given.get("hint")))
    for argument in call.args:  # a check that several backends share, with a number for each
        if isinstance(argument, ast.Constant) and NUMBER.fullmatch(str(argument.value)):
            yield _check(argument.value, *_shared(call, argument.value))


def _check(number: str, message: str, hint: str) -> Check:
    message = COMPOSED.get(number, message)
    return Check(number, escaped(message), escaped(hint))


def _shared(caller: ast.Call, number: str) -> tuple[str, str]:
    """Return the texts of a check on a token's shape, or on the users that claims name."""
    is_shape = ast.unparse(caller.func) == "check_shape"
    module = SOURCE / "backends" / ("shape.py" if is_shape else "sources/claimed_users.py")
    level = {"E": "Error", "W": "Warning"}[number[0]]
    for call in ast.walk(ast.parse(module.read_text())):
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(level) and call.keywords:
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            return text_of(call.args[0]), text_of(given.get("hint"))
    raise LookupError(f"{module} has no {level}")
