"""`manage.py token_revoke`: revoke tokens, and close their sockets."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from ...cluster.connections import connections
from ...conf import configuration
from ...core.errors import TokenAuthError
from ...core.token_names import NamedToken
from ...observability.error_log import describe_error
from ...revocation.carry_out import attempt_all
from ...revocation.identification import has_shape_of_token
from ...revocation.known_names import require_known
from ...revocation.labels import revoke
from ...revocation.tokens import revoke_token
from ...revocation.users import revoke_user
from ...verification.authenticator import site_authenticator
from .. import terminal

STDIN = "-"


class Command(BaseCommand):
    help = (
        "Revoke tokens and close their sockets on every node. Exits with 1 if a node did not"
        " answer: it closes them at its next sweep."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "tokens",
            nargs="*",
            metavar="TOKEN_ID",
            help="the ids of tokens, or - to read ids or tokens from standard input. A token as an"
            " argument would appear in the shell's history, and is refused",
        )
        parser.add_argument(
            "--user", help="a username or id: whose tokens, and all of them where none is named"
        )
        terminal.add_label(parser, "all tokens with this label; with --user, theirs only")
        parser.add_argument(
            "--except", dest="spared", metavar="TOKEN_ID", help="one that stays, or - to read it"
        )
        terminal.add_origin(parser)
        parser.add_argument(
            "--before",
            type=_moment,
            metavar="TIME",
            help="only what was issued until then: 2026-11-28, or 2026-11-28T03:00, local time",
        )
        parser.add_argument(
            "--margin",
            type=float,
            metavar="SECONDS",
            help="with --user or --label: open sockets live on for so long, and stay if their"
            " clients send fresh tokens, as after a change of roles",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        tokens, labels = options["tokens"], options["labels"]
        times = {"margin": options["margin"]} | _given(issued_before=options["before"])
        origin = _given(**{name: options[name] for name in ("backend", "issuer")})
        # Before any token is read from a terminal: a wrong call should not ask for one.
        _check(options)
        user = terminal.user_of(options["user"])
        whose = _given(user=user)
        try:
            if tokens:
                done = _revoke(_read(tokens), **whose, **origin)
            elif labels:
                revoke(label=labels, **whose, **origin, **times)
                done = f"The tokens with {_shown(labels)} are revoked."
            else:
                revoke_user(user, except_token=_spared(options["spared"], **origin), **times)
                name = terminal.visible(user.get_username())
                done = f"The tokens of {name} ({user.pk}) are revoked."
        except (TypeError, ValueError) as error:
            raise _usage(str(error)) from None
        except TokenAuthError as error:
            raise CommandError(_sentence(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database is unavailable: {describe_error(error)}") from error
        # Before the nodes are asked: the tokens are revoked, whether or not a node answers.
        self.stdout.write(self.style.SUCCESS(done))
        self._report_nodes()

    def _report_nodes(self) -> None:
        """Print the nodes that have received the revocation. Raises CommandError if one has not."""
        # Messages arrive in order: a node that answers this one has received the revocation.
        found = connections(limit=0)
        if found.nodes:
            self.stdout.write(f"Sockets are closed by {', '.join(found.nodes)}.")
        if sentence := terminal.incomplete(found.nodes, found.missing):
            seconds = f"{configuration().sweep_interval:g}"
            raise CommandError(f"{sentence} Sweeps close the sockets, within {seconds} s.")


def _check(options: dict[str, Any]) -> None:
    """Raise a CommandError for options that do not go together."""
    tokens, labels, user = options["tokens"], options["labels"], options["user"]
    if tokens and (labels or options["spared"] or options["before"]):
        raise _usage("--label, --except and --before go without tokens.")
    if not (tokens or user or labels):
        raise _usage("Name tokens, a --user or a --label.")
    if options["spared"] and labels:
        raise _usage("--except goes with --user alone, and without --label.")
    if options["margin"] is not None and tokens:
        raise _usage("--margin goes with --user or --label.")
    if options["before"] and not (user or labels):
        raise _usage("--before goes with --user or --label.")
    if (options["backend"] or options["issuer"]) and not (tokens or labels or options["spared"]):
        raise _usage("--backend and --issuer go with tokens, --label or --except.")


def _given(**options: Any) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def _shown(labels: list[tuple[str, str]]) -> str:
    return " and ".join(terminal.visible(f"{name}={value}") for name, value in labels)


def _sentence(error: TokenAuthError) -> str:
    if error.detail:
        return error.detail.remedy
    return "A token store or the cache is unavailable: not all was revoked. Try again."


def _revoke(tokens: list[str], **which: Any) -> str:
    attempt_all(partial(revoke_token, each, **which) for each in tokens)
    return f"Revoked: {len(tokens)} {'token' if len(tokens) == 1 else 'tokens'}."


def _spared(text: str | None, *, backend: str | None = None, issuer: str | None = None) -> Any:
    """Return the token that stays valid. With a backend or an issuer, the text is an id."""
    if text is None:
        return None
    one = _read([text])[0]
    if backend is issuer is None:
        return one
    require_known(backends=None if backend is None else [backend], issuer=issuer)
    return NamedToken(token_id=one, backend=backend, issuer=issuer)


def _read(tokens: list[str]) -> list[str]:
    """Return the ids and tokens. Raises CommandError for a token in the arguments."""
    # Other users of the machine can read the arguments of a process.
    authenticator = site_authenticator()
    if any(each != STDIN and has_shape_of_token(authenticator, each) for each in tokens):
        raise _usage("That is a token itself, and not its id: give it on standard input, with -.")
    read = [
        one for each in tokens for one in (terminal.read_secrets() if each == STDIN else [each])
    ]
    if not read:
        raise _usage("Standard input is empty: write an id or a token to it, one per line.")
    return read


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time, such as 2026-11-28.") from None
    # Without an offset, the time is local (TIME_ZONE), as the help of the option promises.
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _usage(sentence: str) -> CommandError:
    return CommandError(sentence, returncode=terminal.USAGE)
