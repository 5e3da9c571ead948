"""Describe the management commands from their argument parsers."""

from argparse import SUPPRESS, Action, ArgumentParser
from pathlib import Path

from django.core.management import load_command_class

import channels_token_auth

from .markdown import code, table

__all__ = ["described", "names"]

APP = "channels_token_auth"
FOLDER = Path(channels_token_auth.__file__).parent / "management" / "commands"
# Options that every command of Django has.
COMMON = {
    "--help",
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
}


def names() -> list[str]:
    """Return the commands of the library."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def described() -> str:
    """Return a section for each command."""
    return "\n\n".join(map(_section, names()))


def _section(name: str) -> str:
    command = load_command_class(APP, name)
    parser = command.create_parser("manage.py", name)
    own = [each for each in parser._actions if not COMMON & set(each.option_strings)]
    shown = [each for each in own if each.help != SUPPRESS]
    rows = [(code(_usage(each)), _help(parser, each)) for each in shown]
    return f"## `{name}`\n\n{command.help}\n\n{table(['argument', 'meaning'], rows)}"


def _usage(action: Action) -> str:
    name = action.option_strings[-1] if action.option_strings else ""
    takes = action.nargs != 0
    value = str(action.metavar or action.dest.upper()) if takes else ""
    return f"{name} {value}".strip()


def _help(parser: ArgumentParser, action: Action) -> str:
    return parser._get_formatter()._expand_help(action) if action.help else ""
