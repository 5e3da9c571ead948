"""`manage.py token_connect`: open a socket of the site in this process, and send frames on it."""

import asyncio
import contextlib
import getpass
import os
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from channels.routing import get_default_application
from django.core.management.base import BaseCommand, CommandError

from ...conf import configuration
from ...core.credentials import Location, Secret
from ...node.node import Node
from ...observability.events import IdentityInjected, emit
from ...verification import injected
from .. import terminal
from ..client import websocket_scope
from ..conversation import HIDDEN, NOTE, SENT, Conversation


class Command(BaseCommand):
    help = (
        "Run ASGI_APPLICATION in this process, open a WebSocket at a path, and print the"
        " conversation. The first line of standard input is the token, or --user names a user to"
        " connect as without one, which writes an audit record. Every further line is sent as a"
        " text frame. Exits with 1 if the socket is refused, or closed by the application."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", help="of the socket, such as /chat/ or /chat/?room=1")
        terminal.add_misplaced(parser)
        parser.add_argument("--user", help="a username, or a user's id: connect as that user")
        parser.add_argument(
            "--scopes", default="", help="with --user: the scopes that the token would have"
        )
        parser.add_argument(
            "--location",
            default=Location.HEADER.value,
            choices=[each.value for each in Location],
            help="where the token is presented; default: %(default)s",
        )
        parser.add_argument(
            "--subprotocol", action="append", default=[], help="offered too; may be repeated"
        )
        parser.add_argument("--origin", help="the page's; default: one that is allowed")
        parser.add_argument(
            "--wait",
            type=float,
            default=1.0,
            metavar="SECONDS",
            help="close the socket if nothing was received for so long after the last line;"
            " default: %(default)s",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        terminal.refuse_misplaced(options)
        user = terminal.user_of(options["user"])
        token = None if user else Secret(_read_token())
        with _injected(user, options) if user else nullcontext():
            self._run(token, options)

    def _run(self, token: Secret | None, options: dict[str, Any]) -> None:
        """Raise CommandError unless the socket stayed open until this side closed it."""
        try:
            is_ours = asyncio.run(self._talk(token, options))
        except KeyboardInterrupt:
            raise CommandError("Interrupted.") from None
        except Exception as error:
            # Its text may quote the token, which `_shown` hides.
            failure = f"The application failed: {type(error).__name__}: {error}"
            raise CommandError(_shown(token, failure)) from error
        if not is_ours:
            raise CommandError("The socket did not stay open.")

    async def _talk(self, token: Secret | None, options: dict[str, Any]) -> bool:
        """Return True if the socket was open until this side closed it."""
        settings = configuration()
        # A node that joins and ends soon would be reported as missing by the others.
        Node(settings, joins=False)
        scope = websocket_scope(
            options["path"],
            policy=settings.policy,
            token=token,
            location=Location(options["location"]),
            subprotocols=options["subprotocol"],
            origin=options["origin"],
        )
        show = partial(self._print, token)
        # Not before the user is injected: a route that exists already lacks that user's backend.
        application = get_default_application()
        conversation = Conversation(application, scope, show=show, token=token)
        if await conversation.open():
            await _send_lines(conversation)
            await conversation.linger(options["wait"])
        await conversation.close()
        return not conversation.was_ended_by_application

    def _print(self, token: Secret | None, mark: str, text: str) -> None:
        if mark == SENT and sys.stdin.isatty() and text != HIDDEN:
            return  # the terminal has just shown it to the person who typed it
        style = self.style.WARNING if mark == NOTE else str
        self.stdout.write(style(f"{mark} {_shown(token, text)}"))
        # Output to a pipe is buffered, and its reader needs each line when it is written.
        self.stdout.flush()


def _shown(token: Secret | None, text: str) -> str:
    """Return a text without the token: an application may echo what it was not meant to read."""
    shown = text.replace(token.reveal(), HIDDEN) if token else text
    return terminal.visible(shown)


def _read_token() -> str:
    """Return the token, the first line of standard input. The other lines are frames."""
    if sys.stdin.isatty():
        return getpass.getpass("Token: ").strip()
    token = sys.stdin.readline().strip()
    if not token:
        raise CommandError(
            "Give a token as the first line of standard input, or name a --user.",
            returncode=terminal.USAGE,
        )
    return token


@contextmanager
def _injected(user: Any, options: dict[str, Any]) -> Iterator[None]:
    """Connect as the user inside the block. The audit record is written before that."""
    emit(IdentityInjected(operator=_operator(), user_id=str(user.pk), path=options["path"]))
    with injected.inject(user, options["scopes"].split()):
        yield


def _operator() -> str:
    """Return the name of the person who runs the command, also behind sudo."""
    try:
        # `getuser` raises KeyError for a user id without a name; OSError since Python 3.13.
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # the user id may have no name in a container
        return str(os.getuid())


async def _send_lines(conversation: Conversation) -> None:
    """Send each line of standard input, until its end or that of the socket."""
    lines, ended = _lines(), asyncio.create_task(conversation.ended())
    while True:
        line = asyncio.create_task(lines.get())
        # Wait for both: the application may close the socket before there is another line.
        await asyncio.wait([line, ended], return_when=asyncio.FIRST_COMPLETED)
        if ended.done() or (text := line.result()) is None:
            break
        conversation.send(text)
    line.cancel()
    ended.cancel()


def _lines() -> "asyncio.Queue[str | None]":
    """Return a queue of the lines of standard input as they arrive, with None at its end.

    A thread reads them, because asyncio cannot wait for both a terminal and a file. It is a daemon:
    when the socket has ended, the command exits without waiting for another line.
    """
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        # RuntimeError: the loop is closed, because the socket has ended while this thread waited.
        with contextlib.suppress(RuntimeError):
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line.removesuffix("\n"))
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return lines
