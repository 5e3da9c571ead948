"""List the reasons of refusals that the library logs for developers, from its source.

Each is a call `Detail(slug=…, remedy=…)`, or of a function that makes one for a provider's request.
A refusal without one is explained by its code alone.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import channels_token_auth
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.observability.refusal_log import REMEDIES
from channels_token_auth.providers import rejection

from .literals import GAP, escaped, text_of
from .markdown import code, table

__all__ = ["left_line", "listed", "log_line", "of_providers", "reasons"]

SOURCE = Path(channels_token_auth.__file__).parent


def reasons() -> dict[str, str]:
    """Return the remedy of each reason; "…" stands for a value that is filled in."""
    return dict(sorted(_details()))


def listed() -> str:
    """Return a table of all reasons, those of the codes included."""
    rows = [(code(slug), escaped(remedy)) for slug, remedy in reasons().items()]
    rows += [(code(each.value), escaped(REMEDIES[each])) for each in CloseReason]
    return table(["reason", "what to do"], rows)


def log_line(slug: str, reason: str = "", origin: str = "") -> str:
    """Return the line that a refused handshake at /chat/ leaves in the log.

    `reason` may be the slug itself, if that says all.
    """
    found = CloseReason(slug)
    remedy = REMEDIES[found] if reason in ("", slug) else reasons()[reason]
    why = "" if reason in ("", slug) else f" ({reason})"
    page = f', Origin "{origin}"' if origin else ""
    line = f'WebSocket "/chat/" refused: {found.close_code} {slug}{why}{page}. {remedy}'
    return f"```output\n{line}\n```"


def left_line(reason: str, origin: str) -> str:
    """Return the line about a client that left before its handshake at /chat/ was refused."""
    line = f'WebSocket "/chat/": the client left without a token ({reason}), Origin "{origin}"'
    return f"```output\n{line}. {reasons()[reason]}\n```"


def request_line(method: str, path: str, status: str, reason: str) -> str:
    """Return the line that a refused HTTP request leaves in the log."""
    return f'```output\n{method} "{path}" refused: {status} ({reason}). {reasons()[reason]}\n```'


def of_providers() -> str:
    """Return a table of the reasons for which requests of identity providers are rejected."""
    found: dict[str, list[str]] = {}
    for slug, remedy in _rejections():
        found.setdefault(slug, []).append(escaped(remedy))
    rows = [(code(slug), " ".join(dict.fromkeys(found[slug]))) for slug in sorted(found)]
    return table(["reason", "what is wrong"], rows)


def _details() -> Iterator[tuple[str, str]]:
    for constants, call in _calls():
        if getattr(call.func, "id", "") == "Detail":
            given = {keyword.arg: _text(keyword.value, constants) for keyword in call.keywords}
            if given.get("slug", "").strip(GAP):
                yield given["slug"].replace(f"{GAP}_", "LOCATION_"), given["remedy"]


def _rejections() -> Iterator[tuple[str, str]]:
    for constants, call in _calls():
        if getattr(call.func, "id", "") in rejection.__all__ and len(call.args) > 1:
            slug, remedy, *_ = (_text(each, constants) for each in call.args)
            if slug != GAP:
                yield slug, remedy


@cache  # each line of a log on a page asks for them: fifteen times on one page
def _calls() -> list[tuple[dict[str, ast.expr], ast.Call]]:
    """Return every call in the source, each with the constants of its module."""
    calls = []
    for path in sorted(SOURCE.rglob("*.py")):
        module = ast.parse(path.read_text())
        constants = {
            target.id: node.value
            for node in module.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        calls += [(constants, call) for call in ast.walk(module) if isinstance(call, ast.Call)]
    return calls


def _text(node: ast.expr, constants: dict[str, ast.expr]) -> str:
    """Return the text of an expression, which may be the name of a constant."""
    return text_of(constants.get(node.id, node) if isinstance(node, ast.Name) else node)
