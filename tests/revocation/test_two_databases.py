"""Tokens in another database than users, each with a transaction of its own."""

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections, transaction
from rest_framework.authtoken.models import Token

from channels_token_auth import revoke_token, revoke_user
from tests.connection.sockets import open_sockets

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True, databases=["default", "tokens"]),
]


class Router:
    """Send tokens to a database of their own."""

    def db_for_read(self, model, **hints):
        return "tokens" if model is Token else None

    db_for_write = db_for_read

    def allow_relation(self, *rows, **hints):
        return True


@pytest.fixture(scope="module", autouse=True)
def _database(django_db_setup, django_db_blocker, tmp_path_factory):
    connections.settings["tokens"] = {
        **connections.settings["default"],
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(tmp_path_factory.mktemp("tokens") / "tokens.sqlite3"),
        "OPTIONS": {"timeout": 20},
    }
    with django_db_blocker.unblock(), connections["tokens"].schema_editor() as editor:
        for model in (User, Token):
            editor.create_model(model)
    yield
    connections["tokens"].close()
    del connections["tokens"]
    del connections.settings["tokens"]


@pytest.fixture(autouse=True)
async def _thread(_database):
    """Let the thread of asynchronous code find the next database, which has another path."""
    yield
    await sync_to_async(_forget_connection)()


def _forget_connection():
    connections["tokens"].close()
    del connections["tokens"]


@pytest.fixture(autouse=True)
def _router(site):
    site.DATABASE_ROUTERS = [f"{__name__}.Router"]
    with connections["tokens"].cursor() as cursor:  # nothing flushes it
        for model in (Token, User):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")


@pytest.fixture
def token(ada):
    ada.save(using="tokens")  # for the foreign key
    ada.refresh_from_db(using="default")
    return Token.objects.using("tokens").create(user_id=ada.pk)


def in_users(call):
    with transaction.atomic("default"):
        call()


def in_tokens(call):
    with transaction.atomic("tokens"):
        call()


def in_both(call):
    with transaction.atomic("tokens"), transaction.atomic("default"):
        call()


def in_both_the_other_way(call):
    with transaction.atomic("default"), transaction.atomic("tokens"):
        call()


BLOCKS = [in_users, in_tokens, in_both, in_both_the_other_way]


@pytest.mark.parametrize("block", BLOCKS)
async def test_margin_counts_for_rows_of_another_database(sockets, token, ada, block):
    socket = await sockets(token.key)
    await sync_to_async(block)(lambda: revoke_user(ada, margin=30))
    assert not await Token.objects.aexists()
    assert await socket.stays()


async def test_margin_of_a_transaction_that_is_rolled_back_ends_what_was_deleted(
    time, sockets, token, ada
):
    """The row is gone, whatever becomes of the users' transaction."""

    def revoke_and_fail():
        with transaction.atomic("default"):
            revoke_user(ada, margin=30)
            transaction.set_rollback(True, "default")

    socket = await sockets(token.key)
    await sync_to_async(revoke_and_fail)()
    (connection,) = open_sockets()
    await socket.eventually(lambda: connection.must_renew)
    await time.move(60)
    assert await socket.closes() == 4419


@pytest.mark.parametrize("block", BLOCKS)
async def test_revoked_user_closes_with_4410_whichever_transaction_is_open(
    sockets, token, ada, block
):
    socket = await sockets(token.key)
    await sync_to_async(block)(lambda: revoke_user(ada))
    assert await socket.closes() == 4410


@pytest.mark.parametrize("block", BLOCKS)
async def test_token_that_was_revoked_before_a_margin_has_none(sockets, token, ada, block):
    def revoke():
        revoke_token(token.key)
        revoke_user(ada, margin=30)

    socket = await sockets(token.key)
    await sync_to_async(block)(revoke)
    assert await socket.closes() == 4410
