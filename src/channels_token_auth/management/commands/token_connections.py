"""`manage.py token_connections`: list the open sockets of all nodes."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from ...backends.sources.moments import local
from ...cluster.connections import LIMIT, Connections, LiveConnection
from ...listing import connections
from ...revocation.identification import has_shape_of_token
from ...usernames import is_site_user, names_of
from ...verification.authenticator import site_authenticator
from .. import terminal

HEADING = ("ID", "NODE", "USER", "ADDRESS", "OPENED", "EXPIRES", "BY", "TOKEN", "PATH")

NAMED = (
    ("token_id", "token"),
    ("backend", "backend"),
    ("issuer", "issuer"),
    ("label", "labels"),
    ("address", "address"),
    ("node", "node"),
)
"""The arguments of `connections`, and the options that give them."""


class Command(BaseCommand):
    help = (
        "List the sockets that are open, newest first. Exits with 1 if a node did not answer."
        " Times are local."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="a username, or a user's id")
        parser.add_argument("--token", metavar="ID", help="the id of a token, never itself")
        terminal.add_label(parser, "only sockets of tokens with this label")
        terminal.add_origin(parser)
        parser.add_argument("--address", help="the client's IP address")
        parser.add_argument("--node", help="web-1:4711 is a node, web-1 all nodes of a machine")
        parser.add_argument("--limit", type=int, default=LIMIT, help="default: %(default)s")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *_: Any, **options: Any) -> None:
        _refuse_token(options["token"])
        named = {name: options[option] for name, option in NAMED if options[option] is not None}
        if options["user"] is not None:
            named["user"] = terminal.user_of(options["user"])
        try:
            found = connections(**named, limit=options["limit"])
        except (TypeError, ValueError) as error:
            raise CommandError(str(error), returncode=terminal.USAGE) from None
        # An incomplete list is printed too: the exit code shows that nodes are missing.
        self.stdout.write(_as_json(found) if options["json"] else "\n".join(_as_text(found)))
        if sentence := terminal.incomplete(found.nodes, found.missing):
            raise CommandError(sentence)


def _refuse_token(named: str | None) -> None:
    """Raise CommandError for a token where its id belongs: no socket would be found."""
    if named and has_shape_of_token(site_authenticator(), named):
        raise CommandError(
            "That is a token itself, and not its id: `token_check` prints the id.",
            returncode=terminal.USAGE,
        )


def _as_json(found: Connections) -> str:
    return json.dumps(asdict(found), cls=DjangoJSONEncoder, indent=2)


def _as_text(found: Connections) -> list[str]:
    names = names_of(found.connections)
    rows = [HEADING, *(row(each, names) for each in found.connections)]
    lines = [*terminal.table(rows), ""] if found.connections else []
    shown = len(found.connections)
    more = f", the newest {shown} of them shown" if shown < found.total else ""
    lines.append(f"Open: {found.total}{more}. Answered: {', '.join(found.nodes) or 'nobody'}.")
    if found.draining:
        lines.append(f"Draining: {', '.join(found.draining)}.")
    if found.unswept:
        nodes = ", ".join(found.unswept)
        lines.append(f"A token store was unavailable at the last sweep of: {nodes}.")
    return lines


def row(each: LiveConnection, names: dict[str, str]) -> tuple[str, ...]:
    name = names.get(each.user_id or "") if is_site_user(each.user_kind) else None
    # A user of another service may have the same key as a user of this site: it has no name here.
    cells = (
        each.connection_id,
        each.node,
        f"{name} ({each.user_id})" if name else each.user_id or "anonymous",
        each.address or "-",
        _local(each.opened_at),
        _local(each.expires_at) if each.expires_at else "never",
        each.location or "-",
        each.token_id or "-",
        each.path,
    )
    # A client chooses its path, which must not control the operator's terminal.
    return tuple(map(terminal.visible, cells))


def _local(moment: datetime) -> str:
    return local(moment).strftime("%Y-%m-%d %H:%M:%S")
