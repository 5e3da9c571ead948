"""`manage.py token_check`: show the user of a token, or the reason why it is refused."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...backends.sources.moments import local
from ...conf import configuration
from ...core.asgi_types import Message
from ...core.identity import Identity
from .. import terminal
from ..diagnosis import Diagnosis, diagnose


class Command(BaseCommand):
    help = (
        "Read a token from standard input, and print which backend recognises it, whose it is, its"
        " scopes and its expiry; or why it is refused, and what a browser would see. Exits with 1"
        " if it is refused. The token itself is never printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")
        terminal.add_misplaced(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        terminal.refuse_misplaced(options)
        diagnosis = diagnose(terminal.read_token())
        facts = dict(_facts(diagnosis))
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(_lines(facts)))
        # After the output, which has the reason. The exit code is for scripts.
        if diagnosis.error:
            raise CommandError(f"The token is refused: {diagnosis.error.code.value}.")


def _facts(diagnosis: Diagnosis) -> Iterator[tuple[str, Any]]:
    yield "verdict", "refused" if diagnosis.error else "accepted"
    yield "recognized_by", list(diagnosis.recognized_by)
    yield "backends", list(diagnosis.backends)
    if diagnosis.identity:
        yield from _of_identity(diagnosis.identity)
    if diagnosis.error:
        yield "code", diagnosis.error.code.value
        yield "close_code", diagnosis.error.code.close_code
        if diagnosis.detail:
            yield "reason", diagnosis.detail.slug
            yield "remedy", diagnosis.detail.remedy
        yield "browser", _answer(diagnosis.browser, "which a page sees as 1006")
        yield "other_clients", _answer(diagnosis.native, "or 403 on daphne")
    yield "locations", sorted(configuration().policy.locations)


def _of_identity(identity: Identity) -> Iterator[tuple[str, Any]]:
    facts = identity.authentication
    yield "user", identity.user.get_username()
    yield "user_id", str(identity.user.pk)
    yield "backend", facts.backend
    yield "token_id", facts.token_id
    yield "scopes", sorted(facts.scopes)
    yield "issued_at", _local(facts.issued_at)
    yield "expires_at", _local(facts.expires_at)


def _answer(messages: Sequence[Message], remark: str) -> str:
    """Describe the refusal that a client receives from these ASGI messages."""
    # A page cannot read an HTTP status: for it, the socket is accepted and then closed.
    first, last = messages[0], messages[-1]
    if first["type"] == "websocket.accept":
        return f"accepted, then closed with {last['code']} {last['reason']}"
    return f"HTTP {first.get('status', 403)}, {remark}"


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    width = max(map(len, facts))
    for name, value in facts.items():
        yield f"{name.replace('_', ' ').ljust(width)}  {terminal.visible(_text(value))}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else local(moment).isoformat(" ", "seconds")
