"""Read and write what PROTOCOL.md defines for clients: tokens, messages, close codes."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

__all__ = [
    "APPLICATION",
    "does",
    "entry_of",
    "is_token",
    "read",
    "refusal",
    "slug_of",
    "write",
]

TABLE = json.loads(Path(__file__).with_name("close_codes.json").read_text())
ACTIONS = {row["close_code"]: row["client"] for row in [*TABLE["codes"], *TABLE["servers"]]}
APPLICATION: dict[str, Any] = {}
"""Stands for every frame that is not a message of the server."""

_RFC_7230_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKEN = re.compile("[^\x00-\x20\x7f-\xa0\ud800-\udfff]+")


def does(close_code: int) -> str:
    """Return what a client does on a close code: a key of the table's `client`."""
    for row in TABLE["unknown"]:
        if close_code not in ACTIONS and row["from"] <= close_code <= row["to"]:
            return str(row["client"])
    return str(ACTIONS.get(close_code, TABLE["otherwise"]))


def refusal(answer: Mapping[str, Any], *, is_ticket: bool) -> tuple[int, str]:
    """Return the close code and the reason that an answer over HTTP stands for."""
    for row in TABLE["codes"]:
        if row["slug"] == answer.get("code"):
            return row["close_code"], row["slug"]
    status = answer["status"]
    if not is_ticket:  # a denial without a slug says as little as 1006
        return 1006, "closed"
    codes = {401: 4401, 429: 4429}
    return codes.get(status, 4403 if 400 <= status < 500 else 1006), "refused"


def slug_of(close_code: int, *named: str) -> str | None:
    """Return the reason for a close code: the one that the server named, if two share the code."""
    slugs = [str(row["slug"]) for row in TABLE["codes"] if row["close_code"] == close_code]
    return next((slug for slug in slugs if slug in named), slugs[-1] if slugs else None)


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def entry_of(token: str) -> str:
    """Return the subprotocol that carries a token; "" for no token."""
    if not token:
        return ""
    if _RFC_7230_TOKEN.fullmatch(token):
        return f"bearer.{token}"
    return "base64url.bearer." + urlsafe_b64encode(token.encode()).rstrip(b"=").decode()


def write(message: dict[str, Any]) -> str:
    """Return a message as a frame. `ensure_ascii` would make it longer than it may be."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def read(frame: str | bytes) -> dict[str, Any] | None:
    """Return a message of the server, `APPLICATION`, or None for one to ignore."""
    # No message has escapes in its type. Most frames are the application's, and are not parsed.
    if not isinstance(frame, str) or '"auth.' not in frame:
        return APPLICATION
    try:
        message = json.loads(frame, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return APPLICATION
    if not isinstance(message, dict):
        return APPLICATION
    match message.get("type"):
        case "auth.required":
            is_complete = _is_seconds(message.get("timeout"))
        case "auth.ok":
            is_complete = _may_be(message, "expires_in", int) and _may_be(message, "user_id", str)
        case "auth.expiring":
            is_complete = _is_seconds(message.get("expires_in"))
        case "auth.error":
            is_slug = re.fullmatch("[a-z_]{1,40}", str(message.get("code"))) is not None
            is_retry = isinstance(message.get("retry"), bool)
            is_complete = is_slug and is_retry and _may_be(message, "retry_after", int)
        case "auth.pong":
            is_complete = True
        case _:
            return APPLICATION
    return message if is_complete else None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON (RFC 8259 section 6)


def _is_seconds(value: object) -> bool:
    return type(value) is int and value >= 0


def _may_be(message: dict[str, Any], key: str, kind: type) -> bool:
    """Return True if a key is there, with null or a value of that type."""
    value = message.get(key, NotImplemented)
    return value is None or (_is_seconds(value) if kind is int else isinstance(value, kind))
