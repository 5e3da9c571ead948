"""A site's audit gets each event once, by a signal and by a log record, and no secret."""

import asyncio
import json
import logging
import threading

import pytest
from django.db import transaction
from rest_framework.authtoken.models import Token

from channels_token_auth import (
    adisconnect,
    arevoke_token,
    arevoke_user,
    disconnect,
    revoke_token,
    signals,
)
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.errors import Detail
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.observability import audit as module
from channels_token_auth.observability.audit import LOGGER
from channels_token_auth.observability.events import (
    ConnectionAuthenticated,
    RequestRefused,
    RevocationPublished,
    emit,
)
from tests.connection.server import text

NAMES = list(signals.__all__)
ORIGIN = "http://localhost"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SOCKET = {
    "node",
    "connection_id",
    "user_id",
    "user_kind",
    "token_id",
    "backend",
    "location",
    "address",
    "origin",
    "path",
    "request_id",
    "traceparent",
}
FIELDS = {
    "connection_authenticated": SOCKET,
    "connection_reauthenticated": SOCKET,
    "connection_refused": SOCKET | {"code", "detail"},
    "connection_closed": SOCKET | {"code", "close_code"},
    "token_revoked": {
        *("user_id", "user_kind", "token_id", "backend", "issuer", "labels"),
        *("except_token_id", "issued_before", "code"),
    },
}


@pytest.fixture(autouse=True)
def log(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    return caplog


def records(log):
    return [record for record in log.records if record.name == LOGGER]


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)


async def told_of(told, name):
    await until(lambda: any(event == name for event, _ in told))
    (found,) = [given for event, given in told if event == name]
    return found


@pytest.mark.asvs("16.1.1")
async def test_every_event_of_a_socket_is_emitted_once_with_its_fields(sockets, token, told, log):
    socket = await sockets(token.key, client=["192.0.2.7", 1])
    await arevoke_token(token.key)
    await socket.closes()
    await socket.leave()
    await until(lambda: len(told) == 3)
    events = {record.event: record for record in records(log)}
    names = ["connection_authenticated", "connection_closed", "token_revoked"]
    assert sorted(events) == sorted(name for name, _ in told) == names
    for name, given in told:
        assert set(given) == FIELDS[name]
        assert {key: getattr(events[name], key) for key in given} == given
    assert len(records(log)) == len(told)


async def test_event_is_emitted_once_although_apps_were_loaded_again(
    settings, sockets, token, told
):
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS]
    await sockets(token.key)
    await told_of(told, "connection_authenticated")


@pytest.mark.asvs("16.2.1", "16.3.1")
async def test_who_came_in_is_named(sockets, token, told):
    headers = [(b"x-request-id", b"r-1"), (b"traceparent", TRACEPARENT.encode())]
    await sockets(token.key, client=["192.0.2.7", 1], path="/chat/", more=headers)
    given = await told_of(told, "connection_authenticated")
    del given["connection_id"], given["node"]
    assert given == {
        "user_id": str(token.user_id),
        "user_kind": "auth.user",
        "token_id": Secret(token.key).digest,
        "backend": "drf",
        "location": "header",
        "address": "192.0.2.7",
        "origin": None,
        "path": "/chat/",
        "request_id": "r-1",
        "traceparent": TRACEPARENT,
    }


@pytest.mark.asvs("16.3.1")
async def test_refusal_has_its_reason_and_no_user(sockets, told):
    await sockets("0" * 40)
    given = await told_of(told, "connection_refused")
    assert (given["code"], given["user_id"], given["token_id"]) == ("token_invalid", None, None)


async def test_close_of_the_clients_own_has_its_number_and_no_code(sockets, token, told):
    socket = await sockets(token.key)
    await socket.leave()
    given = await told_of(told, "connection_closed")
    assert (given["code"], given["close_code"]) == (None, 1000)


async def test_close_of_ours_has_both(sockets, token, told):
    socket = await sockets(token.key)
    await adisconnect(user=token.user)
    await socket.closes()
    await socket.leave()
    given = await told_of(told, "connection_closed")
    assert (given["code"], given["close_code"]) == ("token_revoked", 4410)


@pytest.mark.asvs("16.3.1")
async def test_reauthentication_is_emitted(sockets, token, told):
    socket = await sockets(None)
    for _ in range(2):
        socket.server.inbox.put_nowait(text(json.dumps({"type": "auth", "token": token.key})))
        await told_of(told, "connection_authenticated")
    given = await told_of(told, "connection_reauthenticated")
    assert given["location"] == "first_message"


@pytest.mark.parametrize("which", ["raw", "id", "raw, in a transaction"])
def test_revoked_token_is_emitted_once(which, token, told, log):
    token_id = Secret(token.key).digest
    if which == "raw, in a transaction":
        with transaction.atomic():
            revoke_token(token.key)
    else:
        revoke_token(token.key if which == "raw" else token_id)
    ((name, given),) = told
    assert (name, given["token_id"], given["code"]) == ("token_revoked", token_id, "token_revoked")
    assert len(records(log)) == 1


async def test_revoked_user_is_emitted_once_for_all_tokens(token, told):
    await arevoke_user(token.user)
    ((_, given),) = told
    assert (given["user_id"], given["token_id"]) == (str(token.user_id), None)


async def test_deleted_row_is_emitted_once(token, told):
    await token.adelete()
    assert [name for name, _ in told] == ["token_revoked"]


async def test_disconnect_revokes_nothing_and_says_so(token, told):
    await adisconnect(address="192.0.2.7")
    await adisconnect(user=token.user)
    assert told == []


# -- Receivers


async def test_receiver_may_be_asynchronous(sockets, token):
    loops = []

    async def receive(**_):
        loops.append(asyncio.get_running_loop())

    signals.connection_authenticated.connect(receive)
    try:
        await sockets(token.key)
        await until(lambda: loops)
    finally:
        signals.connection_authenticated.disconnect(receive)
    assert loops == [asyncio.get_running_loop()]


async def test_receiver_that_blocks_is_in_no_event_loop(sockets, token):
    threads = []

    def receive(**_):
        threads.append(threading.current_thread())

    signals.connection_authenticated.connect(receive)
    try:
        await sockets(token.key)
        await until(lambda: threads)
    finally:
        signals.connection_authenticated.disconnect(receive)
    assert threads != [threading.current_thread()]


def published(number):
    target = Target(user_id=str(number))
    revocation = Revocation(target=target, code=CloseReason.TOKEN_REVOKED)
    emit(RevocationPublished(revocation=revocation, is_revocation=True))


@pytest.mark.parametrize("is_async", [True, False])
async def test_revocation_in_an_event_loop_calls_receivers_beside_it(is_async):
    """`disconnect` asks no database, so that it may be called there; so may what it emits."""
    calls = []

    async def receive_soon(**_):
        calls.append(threading.current_thread())

    def receive(**_):
        calls.append(threading.current_thread())

    receiver = receive_soon if is_async else receive
    signals.token_revoked.connect(receiver)
    try:
        published(1)
        await until(lambda: calls)
    finally:
        signals.token_revoked.disconnect(receiver)
    assert (calls == [threading.current_thread()]) == is_async
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})


def test_outside_an_event_loop_receivers_are_called_at_once(told):
    published(1)
    detail = Detail(slug="csrf", remedy="Send the token.")
    emit(RequestRefused(method="POST", path="/t/", code=CloseReason.FORBIDDEN, detail=detail))
    assert [name for name, _ in told] == ["token_revoked", "request_refused"]
    assert told[1][1] == {
        "method": "POST",
        "path": "/t/",
        "address": None,
        "code": "forbidden",
        "detail": "csrf",
        "request_id": None,
        "traceparent": None,
    }


async def test_receiver_that_raises_changes_nothing_and_is_logged(sockets, token, caplog):
    def receive(**_):
        raise ValueError("of the receiver")

    for name in NAMES:
        getattr(signals, name).connect(receive)
    try:
        socket = await sockets(token.key)
        await arevoke_token(token.key)
        assert await socket.closes() == 4410
        await until(lambda: "of the receiver" in caplog.text)
    finally:
        for name in NAMES:
            getattr(signals, name).disconnect(receive)


async def test_slow_receiver_makes_events_wait_but_not_without_end(monkeypatch, caplog):
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    goes_on, calls = asyncio.Event(), []

    async def receive(user_id, **_):
        calls.append(int(user_id))
        await goes_on.wait()

    signals.token_revoked.connect(receive)
    try:
        for number in range(10):
            published(number)
        goes_on.set()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        published(10)
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    finally:
        signals.token_revoked.disconnect(receive)
    assert calls == [0, 1, 2, 10]
    assert [each.args for each in caplog.records if each.levelno == logging.ERROR] == [(7,)]


def test_event_that_nobody_wants_is_not_built(log):
    # Others may subscribe too, such as metrics: the audit's own subscription is meant.
    audit = next(
        each for each in ConnectionAuthenticated._subscriptions if each.wants
    )  # private: others subscribe too
    log.set_level(logging.WARNING, LOGGER)
    assert not audit.wants()
    log.set_level(logging.INFO, LOGGER)
    assert audit.wants()


# -- The log


@pytest.mark.asvs("1.2.3", "16.4.1")
async def test_no_client_forges_a_line_or_a_field(sockets, token, log, settings):
    settings.CHANNELS_TOKEN_AUTH = {
        **settings.CHANNELS_TOKEN_AUTH,
        "ALLOWED_ORIGINS": [ORIGIN],
    }
    forged = '/x" user_id="1\r\ntoken_revoked user_id="2\u2028'
    await sockets(token.key, path=forged, client=['7"\n', 1])
    (record,) = records(log)
    message = record.getMessage()
    assert len(message.splitlines()) == 1
    assert f" path={json.dumps(forged)} request_id=" in message
    assert record.path == forged


async def test_long_path_and_origin_are_cut(sockets, token, told, log):
    path, origin = "/" + "a" * 60_000, b"http://" + b"b" * 60_000
    await sockets(token.key, path=path)
    await sockets(None, path=path, more=[(b"origin", origin)])
    everything = [record.getMessage() for record in records(log)]
    assert len(everything) >= 2
    assert max(map(len, everything)) < 4_000
    given = await told_of(told, "connection_authenticated")
    assert given["path"].startswith("/aaa")
    assert len(given["path"]) < 2_000


@pytest.mark.asvs("16.2.5")
async def test_no_token_is_in_any_record(sockets, token, told, log):
    socket = await sockets(token.key)
    await arevoke_token(token.key)
    await socket.closes()
    await socket.leave()
    await sockets(token.key)
    first = await sockets(None)
    first.server.inbox.put_nowait(text(json.dumps({"type": "auth", "token": token.key})))
    await first.closes()
    everything = repr([vars(record) for record in log.records]) + repr(told)
    assert token.key not in everything


@pytest.mark.asvs("16.2.5")
@pytest.mark.parametrize(
    "chosen",
    [
        {"path": "/x/?token={}"},
        {"path": "/x/&ticket={}/y"},
        {"origin": "http://foreign.example/?token={}"},
        {"origin": "bearer.{}"},
    ],
    ids=str,
)
async def test_token_in_a_path_or_an_origin_is_in_no_record_and_no_signal(
    chosen, sockets, token, told, log
):
    chosen = {name: value.format(token.key) for name, value in chosen.items()}
    more = [(b"origin", chosen.pop("origin").encode())] if "origin" in chosen else []
    await sockets(token.key, more=more, **chosen)
    await until(lambda: told)
    everything = repr([vars(record) for record in records(log)]) + repr(told)
    assert "[redacted]" in everything
    assert token.key not in everything


async def test_key_of_a_session_is_not_emitted_as_its_id(settings, told, log, client, ada):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.session.SessionBackend"}],
        "LOCATIONS": ["cookie"],
        "COOKIE_NAME": "sessionid",
    }
    await client.aforce_login(ada)
    key = client.session.session_key
    await arevoke_token(key)
    ((_, given),) = told
    assert given["token_id"] == Secret(key).digest
    assert key not in repr([vars(record) for record in log.records])


def test_disconnect_outside_an_event_loop_emits_no_event(told):
    disconnect(connection_id="node.1")
    assert told == []


def test_tokens_deleted_together_are_each_emitted(ada, bob, told):
    for user in (ada, bob):
        Token.objects.create(user=user)
    Token.objects.all().delete()
    assert {given["user_id"] for _, given in told} == {str(ada.pk), str(bob.pk)}
