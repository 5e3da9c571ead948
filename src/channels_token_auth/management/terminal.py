"""Define common parts of the commands: options, input, and the output of the nodes' answers."""

import getpass
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandError

from ..cluster import layer
from ..usernames import find_user

__all__ = [
    "USAGE",
    "add_label",
    "add_misplaced",
    "add_origin",
    "incomplete",
    "read_secrets",
    "read_token",
    "refuse_misplaced",
    "table",
    "user_of",
    "visible",
]

# The code with which `argparse` exits for arguments that it refuses itself.
USAGE = 2
"""The exit code of a call with wrong arguments. 1: a node did not answer, or the call failed."""


def user_of(name: str | None) -> Any:
    """Return the user that an option names; None if the option is not given."""
    if name is None:
        return None
    try:
        user = find_user(name)
    except ValueError as error:
        raise CommandError(str(error), returncode=USAGE) from None
    if user is None:
        raise CommandError(f"No user has the name or the id {name!r}.", returncode=USAGE)
    return user


def add_label(parser: ArgumentParser, sentence: str) -> None:
    """Add the option `--label`, which may be repeated. Its value is None or a list of pairs."""
    parser.add_argument(
        "--label",
        dest="labels",
        action="append",
        type=_label,
        metavar="NAME=VALUE",
        help=f"{sentence}, such as sid=abc; given several times, all have to match",
    )


def add_origin(parser: ArgumentParser) -> None:
    """Add the options that distinguish tokens with the same id or label."""
    parser.add_argument("--backend", metavar="NAME", help="only tokens of this backend: its name")
    parser.add_argument("--issuer", metavar="URL", help="only tokens of this issuer: their 'iss'")


def _label(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not (name and value):
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE.")
    return name, value


def add_misplaced(parser: ArgumentParser) -> None:
    """Accept a token among the arguments, so that `refuse_misplaced` can explain the mistake."""
    # Otherwise argparse refuses it, and prints it.
    parser.add_argument("misplaced", nargs="*", help=SUPPRESS)


def refuse_misplaced(options: dict[str, Any]) -> None:
    """Raise CommandError if a token is among the arguments."""
    if options["misplaced"]:
        raise CommandError(
            "Give the token on standard input, and not as an argument: the shell stores those.",
            returncode=USAGE,
        )


def read_secrets() -> list[str]:
    """Read tokens or their ids from standard input, one per line. A terminal does not echo them."""
    # Not as an argument: other users of the machine can read those, and the shell stores them.
    if sys.stdin.isatty():
        return [getpass.getpass("Token: ").strip()]
    return [line.strip() for line in sys.stdin if line.strip()]


def read_token() -> str:
    """Return the only token on standard input. At a terminal, prompt for it without an echo."""
    tokens = read_secrets()
    if len(tokens) != 1:
        sentence = f"Give one token on standard input, one line: these are {len(tokens)}."
        raise CommandError(sentence, returncode=USAGE)
    return tokens[0]


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, with aligned columns. The first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def visible(text: str) -> str:
    """Escape control characters: a client may have chosen the text to manipulate the terminal.

    Also what the terminal has no code for, as in a file on Windows: `print` would raise.
    """
    # Line breaks too, which would forge a line of the command's output.
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"  # a task worker may replace it
    return shown.encode(encoding, "backslashreplace").decode(encoding)


def incomplete(nodes: Sequence[str], missing: Sequence[str]) -> str | None:
    """Return a sentence that names the nodes that did not answer; None if all did."""
    if missing:
        return f"Did not answer: {', '.join(missing)}."
    if nodes:
        return None
    if layer.is_alone():
        return "No node answered: CHANNEL_LAYER reaches no other process than this one."
    return (
        "No node answered: none is running or has the name after --node, the channel layer is"
        " unavailable, or this machine's clock differs from theirs by over five minutes."
    )
