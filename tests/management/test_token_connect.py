"""`manage.py token_connect`: what is printed of a conversation, and whom it is held as."""

import asyncio
import io
import logging
from typing import ClassVar

import pytest
from channels.layers import BaseChannelLayer
from django.core.cache import cache

from channels_token_auth import signals
from channels_token_auth.core.credentials import Location, Secret
from channels_token_auth.core.handshake.extraction import extract
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy
from channels_token_auth.core.identity import Grant
from channels_token_auth.management import terminal
from channels_token_auth.management.client import websocket_scope
from channels_token_auth.management.conversation import Conversation
from channels_token_auth.observability.audit import LOGGER
from channels_token_auth.verification import injected

DRF = {"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}
POLICY = Policy(locations=frozenset(), origins=OriginRule(hosts=()))
OK = '< {"type":"auth.ok"'


@pytest.fixture(autouse=True)
def site(settings, transactional_db):
    settings.ASGI_APPLICATION = "tests.management.site.application"
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF]}
    settings.ALLOWED_HOSTS = [".example.com"]
    yield settings
    cache.clear()


@pytest.fixture
def connect(manage):
    """The exit code, and the lines that the command prints."""

    def run(path, *, stdin="", **options):
        code, out = manage("token_connect", path, stdin=stdin, wait=0.2, **options)
        return code, out.splitlines()

    return run


def test_conversation_by_a_token_is_printed_without_it(connect, token):
    code, lines = connect("/echo/", stdin=f"{token.key}\nhello\n{token.key}\n")
    assert code == 0
    assert lines[0] == "* open, subprotocol token-auth.v1"
    assert lines[1].startswith(OK)
    assert {"> hello", "< hello", "> (the token)", "< (the token)"} <= {*lines}
    assert lines[-1].startswith("* closed by")
    assert token.key not in "\n".join(lines)


def test_user_is_injected_with_scopes_and_without_a_token(connect, ada):
    code, lines = connect("/who/?room=1", user="ada", scopes="chat admin")
    assert code == 0
    assert lines[2] == "< ada operator admin chat http://example.com /who/ room=1"


def test_user_is_injected_wherever_the_site_reads_tokens(site, connect, ada):
    for locations in (["cookie"], ["ticket"], ["first_message"]):
        site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LOCATIONS": locations}
        code, lines = connect("/who/", user=str(ada.pk))
        assert (code, lines[2].split()[1]) == (0, "ada")


def test_page_of_another_site_is_injected_too(connect, ada):
    code, lines = connect("/who/", user="ada", origin="https://evil.example")
    assert (code, lines[2].split()[3]) == (0, "https://evil.example")


def test_injected_user_needs_the_scopes_of_the_site(site, connect, ada):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "SCOPES": ["chat"]}
    code, lines = connect("/who/", user="ada")
    assert (code, lines[2]) == (1, "* closed with 4403 forbidden")


def test_inactive_user_is_not_admitted(connect, ada):
    ada.is_active = False
    ada.save()
    assert connect("/who/", user="ada")[1][2] == "* closed with 4423 user_inactive"


@pytest.mark.asvs("16.3.1")
def test_injection_is_audited_with_djangos_default_logging(connect, ada, caplog, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "grace")
    heard = []

    def hear(**named):
        heard.append(named["operator"])

    signals.identity_injected.connect(hear)
    with caplog.at_level(logging.WARNING, LOGGER):
        connect("/who/", user="ada")
    signals.identity_injected.disconnect(hear)
    (record,) = [each for each in caplog.records if each.name == LOGGER]
    assert (record.event, record.operator) == ("identity_injected", "grace")
    assert (record.user_id, record.path) == (str(ada.pk), "/who/")
    assert heard == ["grace"]


def test_operator_without_a_name_is_a_number(connect, ada, caplog, monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: {}["nobody"])
    with caplog.at_level(logging.WARNING, LOGGER):
        connect("/who/", user="ada")
    assert caplog.records[-1].operator.isdecimal()


def test_token_is_no_injection(connect, token, caplog):
    with caplog.at_level(logging.INFO, LOGGER):
        connect("/echo/", stdin=token.key)
    events = [each.event for each in caplog.records if each.name == LOGGER]
    assert events == ["connection_authenticated", "connection_closed"]


def test_nothing_is_injected_afterwards(connect, ada):
    connect("/who/", user="ada")
    assert connect("/who/", stdin="wrong")[1][2] == "* closed with 4401 token_invalid"


@pytest.mark.parametrize("location", [each for each in Location if each is not Location.TICKET])
def test_token_is_presented_in_each_location(site, connect, token, location):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "LOCATIONS": [location.value]}
    code, lines = connect("/who/?room=1", stdin=token.key, location=location.value)
    assert code == 0
    assert any(line.startswith(OK) for line in lines)
    assert token.key not in "\n".join(lines)


def test_ticket_is_presented_in_the_query():
    scope = websocket_scope(
        "/chat/?room=1",
        policy=POLICY,
        token=Secret("a/b"),
        location=Location.TICKET,
        origin="https://example.com",
    )
    assert scope["query_string"] == b"room=1&ticket=a%2Fb"


@pytest.mark.parametrize(
    ("listed", "origin"),
    [
        (None, "http://example.com"),
        (["self"], "http://example.com"),
        (["null"], "null"),
        (["null", "https://app.example.com"], "https://app.example.com"),
    ],
)
def test_default_origin_is_one_that_is_allowed(site, connect, token, listed, origin):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "ALLOWED_ORIGINS": listed}
    code, lines = connect("/who/", stdin=token.key)
    assert (code, lines[2].split()[3]) == (0, origin)


@pytest.mark.parametrize("hosts", [["*"], []])
def test_default_host_is_local(site, connect, token, hosts):
    site.ALLOWED_HOSTS = hosts
    site.DEBUG = True
    assert connect("/who/", stdin=token.key)[1][2].split()[3] == "http://localhost"


def test_binary_frame_is_shown_in_hexadecimal(connect, token):
    code, lines = connect("/chat/", stdin=token.key, subprotocol=["chat"])
    assert code == 0
    assert lines[0] == "* open, subprotocol chat"
    assert lines[1].startswith("< 40 bytes: 00 01 02")


def test_short_binary_frame_is_shown_whole():
    shown = []
    asyncio.run(_hold(_sending({"type": "websocket.send", "bytes": b"ab"}), shown))
    assert "< 2 bytes: 61 62" in shown


def test_close_of_the_application_is_printed(connect, token):
    code, lines = connect("/closing/", stdin=f"{token.key}\nx\n")
    assert (code, lines[-2]) == (1, "* closed with 4321")


def test_refusal_before_accept_is_printed(site, connect, db):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "REFUSAL": "deny"}
    code, lines = connect("/who/", stdin="wrong")
    assert (code, lines[0]) == (1, "* refused with HTTP 401")


def test_exception_of_the_application_is_an_error_without_the_token(connect, token):
    code, lines = connect("/failing/", stdin=f"{token.key}\n{token.key}\n")
    assert code == 1
    assert "ValueError: Nothing to do with (the token)" in lines[-1]


def test_interruption_is_one_line(connect, ada):
    code, lines = connect("/interrupting/", user="ada", stdin="x\n")
    assert (code, lines[-1]) == (1, "Interrupted.")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_terminal_asks_for_the_token_and_shows_no_line_twice(manage, token, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _: token.key)
    code, out = manage("token_connect", "/echo/", stdin=Terminal("typed\n"), wait=0.2)
    assert code == 0
    assert "> typed" not in out
    assert "< typed" in out


def test_unknown_path_is_an_error(connect, token):
    code, lines = connect("/elsewhere/", stdin=token.key)
    assert code == 1
    assert "elsewhere/" in lines[-1]


def test_text_of_the_application_moves_no_cursor(connect, token):
    _, lines = connect("/echo/", stdin=f"{token.key}\n\x1b[2J\n")
    assert r"< \x1b[2J" in lines


def test_neither_a_token_nor_a_user_is_a_wrong_call(connect):
    assert connect("/who/")[0] == terminal.USAGE
    assert connect("/who/", user="nobody")[0] == terminal.USAGE


class Layer(BaseChannelLayer):
    """One that reaches other processes, and notes what is asked of it."""

    asked: ClassVar[list[str]] = []

    async def new_channel(self, prefix="specific"):
        self.asked.append(prefix)
        return "specific!1"


def test_process_joins_no_other_nodes(site, connect, ada):
    site.CHANNEL_LAYERS = {"nodes": {"BACKEND": f"{__name__}.Layer"}}
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [DRF], "CHANNEL_LAYER": "nodes"}
    assert connect("/who/", user="ada")[0] == 0
    assert Layer.asked == []


# -- Applications that break the rules


async def _hold(application, shown):
    scope = {"type": "websocket"}
    conversation = Conversation(
        application, scope, show=lambda mark, text: shown.append(f"{mark} {text}")
    )
    if await conversation.open():
        await conversation.linger(0.05)
    await conversation.close()
    return conversation


def _sending(*messages):
    async def application(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        for message in messages:
            await send(message)
        while (await receive())["type"] != "websocket.disconnect":
            pass

    return application


@pytest.mark.parametrize(
    "text", ["not JSON", "[]", '{"type": "auth.ok"}', '{"type":"auth.required"}']
)
def test_frames_are_shown_whatever_they_hold(text):
    shown = []
    asyncio.run(_hold(_sending({"type": "websocket.send", "text": text}), shown))
    assert shown == ["* open, subprotocol none", f"< {text}", "* closed by this command"]


def test_second_close_is_ignored():
    close, shown = {"type": "websocket.close"}, []
    conversation = asyncio.run(_hold(_sending(close, close), shown))
    assert shown[1:] == ["* closed with 1000"]
    assert conversation.was_ended_by_application


def test_application_that_returns_is_reported():
    async def application(scope, receive, send):
        await receive()

    shown = []
    assert asyncio.run(_hold(application, shown)).was_ended_by_application
    assert shown == ["* the application has returned"]


def test_injected_user_is_revalidated_by_the_user(ada):
    with injected.inject(ada):
        (backend,) = injected.backends()
        handshake = injected.present(extract([], b"", [], POLICY))
        (identity,) = backend.authenticate([handshake.credential])
        grant = Grant(user_pk=ada.pk, authentication=identity.authentication)
        assert backend.revalidate([grant])[0].user == ada
        ada.delete()
        assert backend.revalidate([grant])[0].code == "token_revoked"
    assert injected.backends() == []
