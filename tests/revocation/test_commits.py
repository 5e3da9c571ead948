"""Revocations of a transaction, published after its commit: all of them, in few messages."""

import time
from contextlib import nullcontext

import pytest
from channels.layers import channel_layers
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.authtoken.models import Token

from channels_token_auth import disconnect, revoke_token, revoke_user
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.revocation import on_commit as module
from channels_token_auth.revocation.on_commit import after_commit, gathered
from channels_token_auth.verification.denylist import CacheUnavailable
from tests.verification.odd_caches import Away, cache

pytestmark = pytest.mark.database


class Layer:
    """Records the messages that other processes would receive."""

    def __init__(self):
        self.messages = []

    async def group_send(self, group, message):
        self.messages.append(message)


@pytest.fixture
def layer():
    layer = Layer()
    before = channel_layers.set("default", layer)
    yield layer
    channel_layers.set("default", before)


@pytest.fixture
def tokens(ada, bob):
    return [Token.objects.create(user=user) for user in (ada, bob)]


def ended(layer):
    """The targets of each message."""
    return [[each["target"] for each in message["revocations"]] for message in layer.messages]


def delete(token):
    """And leave our object as it is: Django takes the key out of it."""
    Token.objects.get(key=token.key).delete()


def target(token):
    return whole(token.user) | {"backend": "drf", "token_id": Secret(token.key).digest}


def whole(user):
    return {"user_id": str(user.pk), "user_kind": "auth.user"}


def test_nothing_is_said_before_the_commit(layer, tokens):
    with transaction.atomic():
        for token in tokens:
            delete(token)
        assert layer.messages == []
    assert ended(layer) == [[target(token) for token in tokens]]


@pytest.mark.asvs("2.3.3")
def test_nothing_is_said_of_what_was_rolled_back(layer, tokens):
    with transaction.atomic():
        delete(tokens[0])
        revoke_user(tokens[1].user)
        disconnect(user=tokens[1].user)
        transaction.set_rollback(True)
    assert layer.messages == []


def test_savepoint_that_was_rolled_back_takes_its_own_with_it(layer, tokens):
    with transaction.atomic():
        delete(tokens[0])
        with transaction.atomic():
            delete(tokens[1])
            transaction.set_rollback(True)
    assert ended(layer) == [[target(tokens[0])]]


@pytest.mark.parametrize("act", [delete, lambda token: revoke_user(token.user)])
def test_low_level_savepoint_takes_nothing_with_it_as_in_django(layer, tokens, act):
    """Django binds callbacks to atomic blocks only: it calls those of such a savepoint, too."""
    called = []
    with transaction.atomic():
        savepoint = connection.savepoint()
        transaction.on_commit(lambda: called.append("by Django"))
        act(tokens[0])
        connection.savepoint_rollback(savepoint)
    assert called == ["by Django"]
    assert len(ended(layer)) == 1
    assert Token.objects.filter(key=tokens[0].key).exists()


def test_savepoints_that_were_kept_are_one_message(layer, tokens):
    with transaction.atomic():
        with transaction.atomic():
            delete(tokens[0])
        delete(tokens[1])
    assert ended(layer) == [[target(each) for each in tokens]]


def test_new_token_alone_publishes_nothing(layer, ada):
    with transaction.atomic():
        Token.objects.create(user=ada)
    assert layer.messages == []


def test_savepoint_inside_one_that_was_rolled_back_is_gone_with_it(layer, tokens):
    with transaction.atomic():
        with transaction.atomic():
            with transaction.atomic():
                delete(tokens[0])
            transaction.set_rollback(True)
        delete(tokens[1])
    assert ended(layer) == [[target(tokens[1])]]


def test_many_deletions_are_few_messages(layer):
    count = 10 * module.PER_MESSAGE
    User.objects.bulk_create(User(username=f"user {number}") for number in range(count))
    users = User.objects.values_list("pk", flat=True)
    Token.objects.bulk_create(Token(key=f"{pk:040x}", user_id=pk) for pk in users)
    Token.objects.all().delete()
    assert len(layer.messages) == 10
    assert sum(map(len, ended(layer))) == count


def test_same_ending_twice_is_said_once(layer, ada):
    with transaction.atomic():
        for _ in range(3):
            ada.is_active = False
            ada.save()
    assert ended(layer) == [[whole(ada)]]


@pytest.mark.parametrize("is_atomic", [True, False])
def test_revoked_token_is_published_once_although_its_row_emits_a_signal_too(
    is_atomic, layer, tokens
):
    if is_atomic:
        with transaction.atomic():
            revoke_token(tokens[0].key)
    else:
        revoke_token(tokens[0].key)
    assert ended(layer) == [[target(tokens[0])]]


@pytest.mark.parametrize("is_atomic", [True, False])
def test_revoked_user_is_said_once_in_the_place_of_his_tokens(is_atomic, layer, tokens):
    if is_atomic:
        with transaction.atomic():
            revoke_user(tokens[0].user)
    else:
        revoke_user(tokens[0].user)
    ((one,),) = ended(layer)
    assert one.pop("issued_before") == pytest.approx(time.time(), abs=60)
    assert one == whole(tokens[0].user)


def test_disconnect_does_not_hide_that_a_token_was_revoked(layer, tokens, told):
    with transaction.atomic():
        delete(tokens[0])
        disconnect(user=tokens[0].user)
    assert ended(layer) == [[target(tokens[0]), whole(tokens[0].user)]]
    assert [given["token_id"] for _, given in told] == [target(tokens[0])["token_id"]]


@pytest.mark.usefixtures("layer")
def test_dead_cache_raises_where_a_caller_can_act(site):
    site.CACHES = cache(Away)

    def deny():
        raise CacheUnavailable

    with pytest.raises(CacheUnavailable):
        after_commit([], [deny], using="default")


def test_dead_cache_does_not_undo_a_commit_and_is_logged(layer, tokens, caplog):
    def deny():
        raise CacheUnavailable

    with transaction.atomic():
        delete(tokens[0])
        after_commit([], [deny], using="default")
    assert ended(layer) == [[target(tokens[0])]]
    assert "CacheUnavailable" in caplog.text


@pytest.mark.parametrize("error", [ConnectionError("refused"), TimeoutError(), ValueError()])
@pytest.mark.asvs("16.5.2")
def test_dead_layer_breaks_no_deletion(error, layer, tokens, caplog, monkeypatch):
    async def fail(group, message):
        raise error

    monkeypatch.setattr(layer, "group_send", fail)
    with transaction.atomic():
        delete(tokens[0])
    revoke_token(tokens[1].key)
    assert not Token.objects.exists()
    assert [each.levelname for each in caplog.records] == ["ERROR"]  # once an outage


def test_layer_that_cannot_be_built_breaks_no_deletion(site, tokens, caplog):
    site.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}}
    delete(tokens[0])
    assert Token.objects.count() == 1
    assert "no.such.Layer" in caplog.text


@pytest.mark.parametrize("layers", [{}, {"other": {}}])
def test_site_without_a_channel_layer_revokes_all_the_same(layers, site, tokens, told):
    site.CHANNEL_LAYERS = layers
    revoke_token(tokens[0].key)
    assert [given["token_id"] for _, given in told] == [target(tokens[0])["token_id"]]


# -- ATOMIC_REQUESTS


def log_out(request):
    Token.objects.get(key=request.GET["key"]).delete()
    if "fails" in request.GET:
        raise ValueError("of the view")
    return HttpResponse("bye")


urlpatterns = [path("logout/", log_out)]


@pytest.fixture
def browser(site, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    site.ROOT_URLCONF = __name__
    return Client(raise_request_exception=False)


def test_request_that_is_one_transaction_says_it_at_its_end(browser, layer, tokens):
    assert browser.get("/logout/", {"key": tokens[0].key}).status_code == 200
    assert ended(layer) == [[target(tokens[0])]]


def test_request_that_fails_has_ended_nothing(browser, layer, tokens):
    assert browser.get("/logout/", {"key": tokens[0].key, "fails": 1}).status_code == 500
    assert layer.messages == []
    assert Token.objects.count() == 2


@pytest.mark.parametrize("is_atomic", [True, False])
def test_time_of_a_revocation_is_that_of_its_commit(layer, tokens, is_atomic):
    """Not that of the message: a cache that answers late would make each close look prompt."""

    def deny():
        committed_at.append(time.time())
        time.sleep(0.2)

    committed_at, began_at = [], time.time()
    revocation = Revocation(target=Target(user_id="7"), code=CloseReason.TOKEN_REVOKED)
    with transaction.atomic() if is_atomic else nullcontext():
        after_commit([revocation], [deny], using="default")
    (message,) = layer.messages
    assert began_at <= message["published_at"] <= committed_at[0]


def test_time_of_gathered_revocations_is_that_of_the_first_commit(layer, tokens):
    with gathered():
        delete(tokens[0])
        first_until = time.time()
        time.sleep(0.05)
        delete(tokens[1])
    (message,) = layer.messages
    assert message["published_at"] <= first_until
