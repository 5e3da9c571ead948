"""List the reasons of refusals that the library logs for developers, from its source.

Each is a call `Detail(slug=…, remedy=…)`. A refusal without one is explained by its code alone.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import channels_token_auth
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.observability.refusal_log import REMEDIES

from .literals import escaped, text_of
from .markdown import code, table

__all__ = ["listed", "log_line", "reasons"]

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
    """Return the line that a refused handshake at /chat/ leaves in the log."""
    found = CloseReason(slug)
    remedy = reasons()[reason] if reason else REMEDIES[found]
    why = f" ({reason})" if reason else ""
    page = f', Origin "{origin}"' if origin else ""
    line = f'WebSocket "/chat/" refused: {found.close_code} {slug}{why}{page}. {remedy}'
    return f"```\n{line}\n```"


def request_line(method: str, path: str, status: str, reason: str) -> str:
    """Return the line that a refused HTTP request leaves in the log."""
    return f'```\n{method} "{path}" refused: {status} ({reason}). {reasons()[reason]}\n```'


def _details() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Detail":
                given = {keyword.arg: text_of(keyword.value) for keyword in call.keywords}
                if given.get("slug", "").strip("…"):
                    yield given["slug"].replace("…_", "LOCATION_"), given["remedy"]
