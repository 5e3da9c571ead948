"""`manage.py token_drain`: close the sockets of nodes before a stop, and show how many are left."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...cluster.drain import Drain, adrain
from .. import terminal


class Command(BaseCommand):
    help = (
        "Have nodes refuse new sockets and close their own (4503: clients reconnect to other"
        " nodes), and wait until they are empty. Exits with 1 if one does not answer or is not"
        " empty."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--node", help="web-1:4711 is a node, web-1 all nodes of a machine. Default: all"
        )
        parser.add_argument(
            "--over", type=float, default=30, help="seconds to spread it over; default: %(default)s"
        )
        parser.add_argument("--undo", action="store_true", help="let sockets in again")

    def handle(self, *_: Any, node: str | None, over: float, undo: bool, **__: Any) -> None:
        self._shown: dict[str, int] = {}
        try:
            drain = asyncio.run(adrain(None if undo else over, node=node, follow=self._show))
        except ValueError as error:
            raise CommandError(str(error), returncode=terminal.USAGE) from None
        except KeyboardInterrupt:
            # Ctrl-C ends this command only: the nodes have the request already.
            raise CommandError("Not waiting any more. Nodes go on, unless you --undo it.") from None
        if not drain.is_done:
            raise CommandError(_unfinished(drain))
        done = "Let in again by" if undo else "Empty, and refusing new sockets:"
        self.stdout.write(self.style.SUCCESS(f"{done} {', '.join(sorted(drain.left))}."))

    def _show(self, drain: Drain) -> None:
        """Print a line for each node whose number has changed."""
        width = max(map(len, drain.left), default=0)
        for name, left in sorted(drain.left.items() - self._shown.items()):
            self.stdout.write(f"{name.ljust(width)}  {left:>6} left")
        self._shown = dict(drain.left)


def _unfinished(drain: Drain) -> str:
    missing = sorted(drain.silent)
    if sentence := terminal.incomplete(sorted(drain.left), missing):
        return sentence
    return "Sockets are left, whose applications do not end."
