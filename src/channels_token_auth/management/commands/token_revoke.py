"""`manage.py token_revoke`: end tokens, and close the sockets that they opened."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from ...backends.contract import Revocations
from ...cluster.connections import connections
from ...cluster.local_nodes import node_count
from ...conf import configuration
from ...core.errors import TokenAuthError
from ...revocation.api import revoke_token, revoke_user, token_id
from ...verification.authenticator import site_authenticator
from ...verification.denylist import is_shared
from .. import terminal

STDIN = "-"


class Command(BaseCommand):
    help = (
        "End tokens and close their sockets, on every node. Exits with 1 if a node did not answer:"
        " it closes them at its next sweep."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "tokens",
            nargs="*",
            metavar="TOKEN_ID",
            help="the ids of tokens, or - to read ids or tokens from standard input. A token as an"
            " argument would stand in the shell's history, and is refused",
        )
        parser.add_argument(
            "--user", help="a username or id: whose tokens, and all of them where none is named"
        )
        parser.add_argument(
            "--except", dest="spared", metavar="TOKEN_ID", help="one that stays, or - to read it"
        )
        parser.add_argument(
            "--before",
            type=_moment,
            metavar="TIME",
            help="only what was issued until then: 2026-11-28, or 2026-11-28T03:00, local time",
        )

    def handle(
        self,
        *_: Any,
        tokens: list[str],
        user: str | None,
        spared: str | None,
        before: datetime | None,
        **__: Any,
    ) -> None:
        if tokens and (spared or before):
            raise _usage("--except and --before go with --user, and without tokens.")
        if not (tokens or user):
            raise _usage("Name tokens, or a --user.")
        whose = terminal.user_of(user)
        if sentence := _undeniable():
            raise CommandError(sentence)
        try:
            if tokens:
                done = _revoke(_read(tokens), whose)
            else:
                one = _read([spared])[0] if spared else None
                revoke_user(whose, except_token=one, issued_before=before)
                name = terminal.visible(whose.get_username())
                done = f"The tokens of {name} ({whose.pk}) are revoked."
        except (TokenAuthError, DatabaseError) as error:
            sentence = "A token's store or the cache is away: not all is revoked. Try again."
            raise CommandError(sentence) from error
        self.stdout.write(self.style.SUCCESS(done))
        self._say_who_answered()

    def _say_who_answered(self) -> None:
        """Messages arrive in order: who answers after a revocation has heard of it."""
        found = connections(limit=0)
        if found.nodes:
            self.stdout.write(f"Sockets are closed by {', '.join(found.nodes)}.")
        if sentence := terminal.incomplete(found.nodes, found.missing):
            seconds = f"{configuration().sweep_interval:g}"
            raise CommandError(f"{sentence} Sweeps close the sockets, within {seconds} s.")


def _undeniable() -> str | None:
    """Return why this process cannot revoke all tokens of the site, or None if it can.

    A token without a row is revoked in the cache. One that no other process sees would hold the
    denial until this command ends.
    """
    names = [
        repr(each.name)
        for each in site_authenticator().backends
        if each.revocations is not Revocations.ROWS
    ]
    alias = configuration().cache
    if not names or node_count() or is_shared(alias):
        return None
    return (
        f"Nothing was revoked: tokens of {', '.join(names)} have no row, and CACHE {alias!r} is"
        " this process's own. Use a cache that all processes share, such as Redis."
    )


def _revoke(tokens: list[str], user: Any) -> str:
    for each in tokens:
        revoke_token(each, user=user)
    return f"Revoked: {len(tokens)} {'token' if len(tokens) == 1 else 'tokens'}."


def _read(tokens: list[str]) -> list[str]:
    """The tokens that are meant; of those in the arguments, ids only."""
    if any(each != STDIN and token_id(each) != each for each in tokens):
        raise _usage("That is a token itself, and not its id: give it on standard input, with -.")
    read = [
        one for each in tokens for one in (terminal.read_secrets() if each == STDIN else [each])
    ]
    if not read:
        raise _usage("Nothing stood on standard input.")
    return read


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _usage(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=terminal.USAGE)
