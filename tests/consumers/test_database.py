"""Old connections are closed before they are used again, and nothing hops for anything else."""

import threading
from contextlib import contextmanager

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.generic import websocket as channels
from django.db import OperationalError, connections, transaction
from django.db.backends.signals import connection_created

from channels_token_auth import consumers as ours
from tests.consumers.peer import CONNECT, gone, serve, text
from tests.faults.outages import drop_sessions
from tests.services import postgresql

ALIAS = "shop"
both = pytest.mark.parametrize("kit", [channels, ours], ids=["channels", "ours"])


@pytest.fixture(scope="module")
def store():
    with postgresql() as store:
        yield store


@pytest.fixture
async def shop(store, django_db_blocker):
    """The settings of a database, whose connections are closed in the end."""
    configured = connections.configure_settings({"default": {}, ALIAS: dict(store.settings)})
    connections.settings[ALIAS] = configured[ALIAS] | {"CONN_MAX_AGE": None}
    with django_db_blocker.unblock():
        yield connections.settings[ALIAS]
        await sync_to_async(_forget)()
    del connections.settings[ALIAS]


def make_asker(kit):
    class Asker(kit.AsyncWebsocketConsumer):
        """Sends the result of a query, or for "look" whether a connection is open."""

        async def receive(self, text_data=None, bytes_data=None):
            answer = await sync_to_async(_is_open if text_data == "look" else _query)()
            await self.send(str(answer))

    return Asker


@both
async def test_dropped_connection_heals_by_the_next_message(kit, shop, store):
    dropped = _dropping(store)
    peer = await serve(
        make_asker(kit), CONNECT, text("?"), dropped, text("?"), text("?"), text("look"), gone()
    )
    assert _answers(peer) == ["1", "OperationalError", "1", "True"]


@both
async def test_what_others_found_broken_heals_before_the_first_use(kit, shop, store):
    assert await sync_to_async(_query)() == 1
    drop_sessions(store)
    assert await sync_to_async(_query)() == "OperationalError"
    assert _answers(await serve(make_asker(kit), CONNECT, text("?"), gone())) == ["1"]


@both
async def test_connection_past_its_age_is_closed_before_the_next_message(kit, shop):
    shop["CONN_MAX_AGE"] = 0
    peer = await serve(make_asker(kit), CONNECT, text("?"), text("look"), gone())
    assert _answers(peer) == ["1", "False"]


@both
async def test_connection_past_its_age_is_closed_after_the_last_message(kit, shop):
    shop["CONN_MAX_AGE"] = 0

    class Leaving(kit.AsyncWebsocketConsumer):
        async def disconnect(self, code):
            await sync_to_async(_query)()

    await serve(Leaving, CONNECT, gone())
    assert not await sync_to_async(_is_open)()


@both
async def test_health_check_finds_a_dropped_connection_in_time(kit, shop, store):
    shop["CONN_HEALTH_CHECKS"] = True
    peer = await serve(make_asker(kit), CONNECT, text("?"), _dropping(store), text("?"), gone())
    assert _answers(peer) == ["1", "1"]


@both
async def test_connection_that_lost_its_autocommit_is_dropped(kit, shop):
    peer = await serve(make_asker(kit), CONNECT, text("?"), _uncommitting, text("look"), gone())
    assert _answers(peer) == ["1", "False"]


async def test_thread_of_a_context_of_its_own_is_looked_after(shop, store):
    asker = make_asker(ours)
    await serve(asker, CONNECT, gone())  # the loop's own thread is known from now on
    async with ThreadSensitiveContext():
        peer = await serve(
            asker, CONNECT, text("?"), _dropping(store), text("?"), text("?"), gone()
        )
        await sync_to_async(_forget)()
    assert _answers(peer) == ["1", "OperationalError", "1"]


async def test_connection_that_was_there_first_is_looked_after(shop, store, monkeypatch):
    async with ThreadSensitiveContext():  # in a thread that was not used yet
        with monkeypatch.context() as early:  # before the module waits for connections
            early.setattr(connection_created, "receivers", [])
            assert await sync_to_async(_query)() == 1
        peer = await serve(
            make_asker(ours), CONNECT, _dropping(store), text("?"), text("?"), gone()
        )
        await sync_to_async(_forget)()
    assert _answers(peer) == ["OperationalError", "1"]


async def test_first_message_of_a_thread_hops_and_no_other(hops):
    async with ThreadSensitiveContext():  # in a thread that was not used yet
        for _ in range(2):
            await serve(ours.AsyncWebsocketConsumer, CONNECT, text("x"), gone())
    assert len(hops) == 1


async def test_good_connection_costs_no_hop(shop, hops):
    assert await sync_to_async(_query)() == 1
    hops.clear()
    await serve(ours.AsyncWebsocketConsumer, CONNECT, text("x"), gone())
    assert hops == []


async def test_old_connection_of_another_thread_costs_no_hop(shop, hops):
    shop["CONN_MAX_AGE"] = 0
    with _open_elsewhere():
        await serve(ours.AsyncWebsocketConsumer, CONNECT, text("x"), gone())
    assert hops == []


async def test_transaction_around_a_test_is_not_closed(shop):
    atomic = transaction.atomic(using=ALIAS)
    await sync_to_async(atomic.__enter__)()
    peer = await serve(make_asker(ours), CONNECT, text("?"), text("look"), gone())
    await sync_to_async(atomic.__exit__)(None, None, None)
    assert _answers(peer) == ["1", "True"]


def _answers(peer):
    return [message["text"] for message in peer.sent[1:]]


def _query():
    try:
        with connections[ALIAS].cursor() as cursor:
            return cursor.execute("SELECT 1").fetchone()[0]
    except OperationalError as error:
        return type(error).__name__


def _is_open():
    return connections[ALIAS].connection is not None


def _forget():
    connections[ALIAS].close()
    del connections[ALIAS]


def _dropping(store):
    async def drop(peer):
        assert drop_sessions(store) > 0

    return drop


async def _uncommitting(peer):
    await sync_to_async(lambda: connections[ALIAS].set_autocommit(False))()


@contextmanager
def _open_elsewhere():
    """A connection that another thread holds open, past its age."""
    is_open, is_over = threading.Event(), threading.Event()

    def hold():
        _query()
        is_open.set()
        is_over.wait(60)
        _forget()

    thread = threading.Thread(target=hold)
    thread.start()
    assert is_open.wait(60)
    try:
        yield
    finally:
        is_over.set()
        thread.join()
