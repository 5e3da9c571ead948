"""The commands, beside a node of the same process: what they print, and their exit codes."""

import io
import json
import os
import pty
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.cluster import drain, layer
from channels_token_auth.core.credentials import Secret
from channels_token_auth.management import terminal
from channels_token_auth.management.commands import token_drain
from channels_token_auth.management.commands.token_connections import HEADING, row
from channels_token_auth.node.node import here
from channels_token_auth.revocation import shared_cache
from channels_token_auth.usernames import usernames
from tests.threads import in_thread

BACKENDS = [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]


@pytest.fixture
def say(monkeypatch):
    """Return a function that sets the content of standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


async def manage(*arguments, **options):
    """Return the output of a command, which runs in another thread without an event loop."""

    def run():
        out = io.StringIO()
        try:
            call_command(*arguments, stdout=out, no_color=True, **options)
        except CommandError as error:
            return error.returncode, out.getvalue(), str(error)
        finally:
            connections.close_all()
        return 0, out.getvalue(), ""

    return await in_thread(run)


# -- token_connections


async def test_connections_are_a_table(sockets, token, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    await sockets(token.key, client=["192.0.2.7", 1234], path="/chat/")
    code, out, _ = await manage("token_connections")
    heading, row, _, summary = out.splitlines()
    name = here().name
    assert heading.split() == list(HEADING)
    assert heading.index("ADDRESS") == row.index("192.0.2.7")
    now = datetime.now(UTC) + timedelta(hours=9)
    assert f"{now:%Y-%m-%d %H:}" in row
    for cell in (name, f"ada ({token.user_id})", "never", "header", "/chat/"):
        assert cell in row
    assert Secret(token.key).digest in row
    assert token.key not in out
    assert summary == f"Open: 1. Answered: {name}."
    assert code == 0


def test_name_without_a_code_in_the_terminals_encoding_is_escaped(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert terminal.visible("Zoë Łódź") == "Zoë \\u0141ód\\u017a"


@pytest.mark.parametrize("output", [object(), None], ids=["without an encoding", "none"])
def test_name_is_shown_where_the_output_is_no_terminal(monkeypatch, output):
    """Celery's workers replace it, and a service on Windows has none."""
    monkeypatch.setattr(sys, "stdout", output)
    assert terminal.visible("Łódź\n") == "Łódź\\n"


@pytest.mark.asvs("16.4.1")
async def test_path_moves_no_cursor(sockets, token):
    await sockets(token.key, path="/\x1b[2J\x9b\n/é")
    _, out, _ = await manage("token_connections")
    assert r"/\x1b[2J\x9b\n/é" in out


@pytest.mark.parametrize(
    ("options", "total"),
    [
        ({"user": "ada"}, 1),
        ({"user": "bob"}, 0),
        ({"address": "192.0.2.7"}, 1),
        ({"address": "192.0.2.8"}, 0),
        ({"token": "0" * 32}, 0),
        ({"node": "elsewhere"}, 0),
    ],
)
async def test_connections_are_filtered(sockets, token, bob, options, total):
    await sockets(token.key, client=["192.0.2.7", 1234])
    _, out, _ = await manage("token_connections", **options)
    assert f"Open: {total}." in out


async def test_anonymous_socket_has_neither_user_nor_token(sockets, site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "ANONYMOUS": True}
    await sockets(None)
    _, out, _ = await manage("token_connections")
    row = out.splitlines()[1]
    assert "anonymous" in row
    assert row.split()[-3:] == ["-", "-", "/"]


def connection(**values):
    defaults = {
        **dict.fromkeys(["address", "expires_at", "location", "token_id"]),
        "connection_id": "a1",
        "node": "a",
        "user_id": "auth0|7",
        "user_kind": "backend:jwt",
        "opened_at": datetime.now(UTC),
        "path": "/",
    }
    return SimpleNamespace(**defaults | values)


def test_user_without_a_row_is_shown_by_id(ada):
    assert row(connection(), usernames(["auth0|7", "999", None]))[2] == "auth0|7"


def test_token_until_the_end_of_the_calendar_is_shown(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    last = datetime.max.replace(tzinfo=UTC)
    assert row(connection(expires_at=last), {})[5].startswith("9999-12-31")


async def test_more_than_the_limit_are_counted(sockets, token):
    for _ in range(3):
        await sockets(token.key)
    _, out, _ = await manage("token_connections", limit=2)
    assert "Open: 3, the newest 2 of them shown." in out
    code, _, error = await manage("token_connections", limit=1001)
    assert (code, "1000" in error) == (2, True)


async def test_connections_for_programs_are_json(sockets, token):
    await sockets(token.key)
    _, out, _ = await manage("token_connections", json=True)
    answer = json.loads(out)
    assert (answer["total"], answer["nodes"]) == (1, [here().name])
    assert answer["connections"][0]["token_id"] == Secret(token.key).digest


async def test_nobody_answers_where_no_node_can_be_reached(token):
    code, out, error = await manage("token_connections")
    assert code == 1
    assert "Answered: nobody." in out
    assert "CHANNEL_LAYER" in error


async def test_node_whose_store_is_away_is_named(sockets, token):
    await sockets(token.key)
    here().sweep.failures = 1
    _, out, _ = await manage("token_connections")
    assert f"A token store was unavailable at the last sweep of: {here().name}." in out


def test_nodes_that_did_not_answer_are_named(monkeypatch):
    monkeypatch.setattr(layer, "is_alone", lambda: True)
    assert terminal.incomplete(["a"], []) is None
    assert terminal.incomplete(["a"], ["b", "c"]).endswith(": b, c.")


@pytest.mark.parametrize("cause", ["--node", "channel layer", "clock"])
def test_nobody_answered_names_what_to_look_at(monkeypatch, cause):
    monkeypatch.setattr(layer, "is_alone", lambda: False)
    assert cause in (terminal.incomplete([], []) or "")


# -- token_revoke


async def test_token_is_revoked_by_id(sockets, token):
    socket = await sockets(token.key)
    code, out, _ = await manage("token_revoke", Secret(token.key).digest)
    assert await socket.closes() == 4410
    revoked, closing = out.splitlines()
    assert (code, revoked) == (0, "Revoked: 1 token.")
    assert closing.endswith(f" {here().name}.")


async def test_tokens_are_read_from_standard_input(sockets, token, bob, say):
    other = await Token.objects.acreate(user=bob)
    both = [await sockets(token.key), await sockets(other.key)]
    say(f"{token.key}\n\n  {Secret(other.key).digest}\n")
    code, out, _ = await manage("token_revoke", "-")
    assert [await each.closes() for each in both] == [4410, 4410]
    assert (code, out.splitlines()[0]) == (0, "Revoked: 2 tokens.")
    assert token.key not in out


async def test_terminal_asks_for_the_token_without_showing_it(monkeypatch):
    parent, child = pty.openpty()
    monkeypatch.setattr(sys, "stdin", os.fdopen(child))
    monkeypatch.setattr("getpass.getpass", lambda prompt: " secret ")
    assert terminal.read_secrets() == ["secret"]
    sys.stdin.close()
    os.close(parent)


async def test_token_as_an_argument_is_refused_and_not_repeated(sockets, token):
    socket = await sockets(token.key)
    code, out, error = await manage("token_revoke", token.key)
    assert (code, out) == (2, "")
    assert token.key not in error
    assert await socket.stays()


@pytest.mark.asvs("7.4.5")
async def test_tokens_of_a_user_are_revoked(sockets, token, bob):
    mine, other = (
        await sockets(token.key),
        await sockets((await Token.objects.acreate(user=bob)).key),
    )
    code, out, _ = await manage("token_revoke", user="ada")
    assert await mine.closes() == 4410
    assert await other.stays()
    assert code == 0
    assert f"ada ({token.user_id})" in out.splitlines()[0]


@pytest.mark.parametrize("is_token", [False, True])
async def test_spared_token_stays(sockets, token, say, is_token):
    socket = await sockets(token.key)
    say(token.key)
    spared = "-" if is_token else Secret(token.key).digest
    code, _, _ = await manage("token_revoke", user=str(token.user_id), spared=spared)
    assert code == 0
    assert await socket.stays()


async def test_later_tokens_stay(sockets, token):
    socket = await sockets(token.key)
    tomorrow, yesterday = (datetime.now(UTC) + timedelta(days=days) for days in (2, -2))
    await manage("token_revoke", "--user=ada", f"--before={tomorrow:%Y-%m-%d}")
    assert not await socket.stays()
    again = await sockets((await Token.objects.acreate(user=token.user)).key)
    await manage("token_revoke", "--user=ada", f"--before={yesterday:%Y-%m-%dT%H:%M}+00:00")
    assert await again.stays()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], ["--user", "--label"]),
        (["0" * 32, "--before=2026-11-28"], ["--label", "--except", "--before"]),
        (["0" * 32, "--except=-"], ["--label", "--except", "--before"]),
        (["--user=nobody"], ["'nobody'"]),
        (["--user=7", "--before=2026-13-01"], ["argument --before: '2026-13-01'"]),
        (["-"], ["Standard input"]),
        (["--user=ada", "--except=-"], ["Standard input"]),
    ],
)
async def test_call_that_makes_no_sense_is_a_usage_error(ada, say, arguments, named):
    say("\n")
    code, _, error = await manage("token_revoke", *arguments)
    assert [each for each in named if each not in error] == []
    assert code == 2 or "argument --before" in error


async def test_name_that_is_another_users_id_is_refused(ada, bob):
    bob.username = str(ada.pk)
    await bob.asave()
    code, _, error = await manage("token_revoke", user=str(ada.pk))
    assert code == 2
    assert f"'{ada.pk}'" in error


@pytest.mark.parametrize("question", ["authenticate", "revoke"])
async def test_store_that_is_away_is_no_success(token, monkeypatch, say, caplog, question):
    def away(*_):
        raise OperationalError

    monkeypatch.setattr(DRFTokenBackend, question, away)
    say(token.key)
    code, _, error = await manage("token_revoke", "-")
    assert (code, "'drf'" in error) == (1, True)


async def test_token_that_cannot_be_revoked_does_not_keep_others_valid(token, bob, monkeypatch):
    other, revoke = await Token.objects.acreate(user=bob), DRFTokenBackend.revoke
    ids = [Secret(each.key).digest for each in (token, other)]

    def some(self, grants):
        if any(each.authentication.token_id == ids[0] for each in grants):
            raise OperationalError
        return revoke(self, grants)

    monkeypatch.setattr(DRFTokenBackend, "revoke", some)
    code, _, error = await manage("token_revoke", *ids)
    assert (code, "'drf'" in error) == (1, True)
    assert [each.user_id async for each in Token.objects.all()] == [token.user_id]


async def test_revocation_that_no_node_received_reports_when_it_is_seen(token):
    code, out, error = await manage("token_revoke", Secret(token.key).digest)
    assert (code, out) == (1, "Revoked: 1 token.\n")
    assert error.endswith(" 60 s.")


# -- token_drain


async def test_drained_node_refuses_and_gets_empty(sockets, token):
    both = [await sockets(token.key), await sockets(token.key)]
    code, out, _ = await manage("token_drain", over=0.2)
    assert [each.code for each in both] == [4503, 4503]
    lines = out.splitlines()
    assert lines[0] == f"{here().name}       2 left"
    assert lines[-1].endswith(f" {here().name}.")
    assert code == 0
    assert (await sockets(token.key)).code is not None


async def test_drain_is_taken_back(sockets, token):
    await sockets(token.key)
    await manage("token_drain", over=0)
    code, out, _ = await manage("token_drain", undo=True)
    assert code == 0
    assert out.splitlines()[-1].endswith(f" {here().name}.")
    assert await (await sockets(token.key)).stays()


async def test_draining_node_is_shown_as_such(sockets, token):
    await sockets(token.key)
    await manage("token_drain", over=0)
    _, out, _ = await manage("token_connections")
    assert f"Draining: {here().name}." in out


async def test_other_nodes_are_not_drained(sockets, token):
    socket = await sockets(token.key)
    code, _, _ = await manage("token_drain", node="elsewhere", over=0)
    assert code == 1
    assert await socket.stays()


async def test_machine_stands_for_all_its_nodes(sockets, token):
    await sockets(token.key)
    machine = here().name.partition(":")[0]
    code, _, _ = await manage("token_drain", node=machine, over=0)
    assert code == 0


class Stuck:
    """A socket whose application goes on after its close."""

    def close(self, code):
        pass


async def test_application_that_does_not_end_is_said(sockets, token, monkeypatch):
    await sockets(token.key)
    here().sockets.add(stuck := Stuck())
    for seconds in (0.5, 5, 50):  # a slow machine needs longer for the first report
        monkeypatch.setattr(drain, "LINGER", seconds)
        code, out, error = await manage("token_drain", over=0)
        if here().name in out:
            break
    here().sockets.discard(stuck)
    assert (code, error) == (1, "Sockets are left, whose applications do not end.")


@pytest.mark.parametrize("over", ["-1", "inf", "nan"])
async def test_time_that_is_none_is_a_usage_error(over):
    assert (await manage("token_drain", over=float(over)))[0] == 2


async def test_interrupted_drain_says_that_it_goes_on(monkeypatch):
    async def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(token_drain, "adrain", interrupt)
    code, _, error = await manage("token_drain")
    assert (code, "--undo" in error) == (1, True)


def test_cache_of_this_process_alone_revokes_nothing(site, ada, token, monkeypatch):
    """The denial would end with the command: it must not claim that it revoked anything."""
    backends = site.CHANNELS_TOKEN_AUTH["BACKENDS"]
    jwt = {"BACKEND": "channels_token_auth.backends.simplejwt.SimpleJWTBackend"}
    site.CHANNELS_TOKEN_AUTH = {**site.CHANNELS_TOKEN_AUTH, "BACKENDS": [*backends, jwt]}
    monkeypatch.setattr(shared_cache, "serves_sockets", lambda: False)
    with pytest.raises(CommandError, match="'simplejwt'"):
        call_command("token_revoke", user="ada")
    assert Token.objects.filter(key=token.key).exists()
