"""The private parts of Django and asgiref that we use are there, and mean what we think."""

import asyncio
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.models.signals import post_delete, post_save, pre_delete
from django.http import HttpResponse
from django.middleware.cache import FetchFromCacheMiddleware, UpdateCacheMiddleware
from django.test import RequestFactory, TestCase
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from channels_token_auth import django_internals
from channels_token_auth.django_internals import (
    PreparedQuery,
    add_commit_callback,
    asgi_request,
    commit_callbacks,
    copy_results,
    copy_state,
    delete_alone,
    has_new_password,
    is_connection_due,
    is_test_environment,
    keep_out_of_cache,
    loop_of_sync_code,
    named_database,
    put_last_callback_first,
    savepoints,
    sync_thread_key,
    take_test_callbacks,
)


def test_savepoints_are_those_that_are_open():
    assert savepoints(connection) == frozenset()
    with transaction.atomic():
        outer = savepoints(connection)
        with transaction.atomic():
            inner = savepoints(connection)
            with transaction.atomic(savepoint=False):
                assert savepoints(connection) == inner
        assert savepoints(connection) == outer
    assert outer < inner


def test_added_callback_survives_its_savepoint_but_not_its_transaction():
    calls = []
    with transaction.atomic(), transaction.atomic():
        add_commit_callback(connection, partial(calls.append, 1))
        transaction.set_rollback(True)
    with transaction.atomic():
        add_commit_callback(connection, partial(calls.append, 2))
        transaction.set_rollback(True)
    assert calls == [1]


def test_commit_callbacks_are_listed_in_their_order_with_their_savepoints():
    calls = []
    first, second = partial(calls.append, 1), partial(calls.append, 2)
    with transaction.atomic():
        transaction.on_commit(first, robust=True)
        with transaction.atomic():
            inner = savepoints(connection)
            transaction.on_commit(second)
        assert list(commit_callbacks(connection)) == [(frozenset(), first), (inner, second)]
    assert calls == [1, 2]
    assert not list(commit_callbacks(connection))


def test_last_callback_can_be_put_first_and_depends_on_its_savepoint():
    calls = []
    with transaction.atomic():
        transaction.on_commit(partial(calls.append, 1))
        with transaction.atomic():
            transaction.on_commit(partial(calls.append, 2))
            put_last_callback_first(connection)
        with transaction.atomic():
            transaction.on_commit(partial(calls.append, 3))
            put_last_callback_first(connection)
            transaction.set_rollback(True)
    assert calls == [2, 1]


def test_callbacks_of_a_savepoint_that_was_rolled_back_are_gone():
    with transaction.atomic():
        with transaction.atomic():
            transaction.on_commit(lambda: None)
            transaction.set_rollback(True)
        assert not list(commit_callbacks(connection))


def test_bound_method_stays_recognizable_as_a_callback():
    """A batch of revocations is found again by the object that its callback is bound to."""
    batch = []
    with transaction.atomic():
        transaction.on_commit(batch.clear, robust=True)
        ((_, callback),) = commit_callbacks(connection)
        assert callback.__self__ is batch


@pytest.mark.parametrize("changes", [True, False])
def test_new_password_is_seen_when_the_user_is_saved(ada, changes):
    seen = []

    def saved(instance, **_):
        seen.append(has_new_password(instance))

    post_save.connect(saved, sender=User)
    try:
        if changes:
            ada.set_password("another")
        ada.save()
        ada.save()
    finally:
        post_save.disconnect(saved, sender=User)
    assert seen == [changes, False]


def test_database_that_was_named_is_known():
    assert named_database(User.objects.all()) is None
    assert named_database(User.objects.using("default")) == "default"


async def test_thread_of_synchronous_code_is_known_by_its_context():
    async def keys():
        return sync_thread_key(), await sync_to_async(connections.close_all)()

    loop = asyncio.get_running_loop()
    assert sync_thread_key() is loop
    async with ThreadSensitiveContext() as context:
        assert sync_thread_key() is context
    assert (await keys())[0] is loop


@pytest.fixture
def fresh():
    """A connection of this test's own, just opened."""
    fresh = connections.create_connection("default")
    fresh.ensure_connection()
    fresh.close_at = None  # as with CONN_MAX_AGE = None
    yield fresh
    fresh.close()


def test_connection_that_django_would_close_is_due(fresh):
    assert not is_connection_due(fresh)
    fresh.close_at = time.monotonic()
    assert is_connection_due(fresh)
    fresh.close_if_unusable_or_obsolete()
    assert fresh.connection is None
    assert not is_connection_due(fresh)


@pytest.mark.parametrize("trouble", ["errors_occurred", "health_check_done", "autocommit"])
def test_connection_in_trouble_is_due(trouble, fresh):
    fresh.health_check_enabled = trouble == "health_check_done"
    setattr(fresh, trouble, trouble != "autocommit")
    assert is_connection_due(fresh)


def test_prepared_query_runs_with_other_parameters_and_is_compiled_once(ada, bob):
    rows = User.objects.filter(pk__in=[0, 1]).values_list("username", flat=True)
    query = PreparedQuery(rows)
    assert query.size == 2
    assert sorted(query.run([ada.pk, bob.pk])) == ["ada", "bob"]
    with CaptureQueriesContext(query.connection) as captured:
        assert query.run([ada.pk, ada.pk]) == ["ada"]
        assert query.run([0, 0]) == []
    sql = {each["sql"].split("IN")[0] for each in captured.captured_queries}
    assert len(captured.captured_queries) == 2
    assert len(sql) == 1


def test_prepared_query_gives_objects_with_their_joins(ada):
    query = PreparedQuery(User.objects.filter(pk__in=[0]).select_related(None))
    (found,) = query.run([ada.pk])
    assert found == ada
    assert found is not query.run([ada.pk])[0]


def test_copied_results_need_no_query_and_share_no_object(ada):
    rows = User.objects.all()
    (original,) = rows
    copied = copy_results(rows, lambda each: [User(pk=7)] if isinstance(each, list) else each)
    with CaptureQueriesContext(connection) as queries:
        assert [each.pk for each in copied] == [7]
        assert list(rows) == [original]
    assert len(queries) == 0


def test_copied_state_keeps_its_database_and_copies_related_objects(ada):
    ada._state.fields_cache["friend"] = friend = User(pk=7)
    state = copy_state(ada._state, lambda each: User(pk=each.pk))
    assert (state.db, state.adding) == ("default", False)
    assert state.fields_cache["friend"] is not friend
    assert ada._state.fields_cache["friend"] is friend


def test_copied_state_has_no_dictionary_for_related_objects_that_are_not_there():
    state = copy_state(User(pk=1)._state, lambda each: each)
    assert "fields_cache" not in vars(state)
    assert state.fields_cache == {}


def test_test_environment_is_that_of_djangos_runner():
    assert is_test_environment()
    command = [sys.executable, "-c", "import django.test.utils", "--", "no runner"]
    program = f"import django.test.utils\nfrom {django_internals.__name__} import *\n"
    command[2] = f"{program}assert not is_test_environment()"
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


async def test_request_is_that_of_its_context_in_tasks_and_threads():
    assert asgi_request() is None
    async with ThreadSensitiveContext() as context:
        found = [
            asgi_request(),
            await asyncio.create_task(_request()),
            await sync_to_async(asgi_request)(),
        ]
    assert found == [context] * 3


async def _request():
    return asgi_request()


async def test_loop_that_sent_synchronous_code_is_known_there():
    assert await sync_to_async(loop_of_sync_code)() is asyncio.get_running_loop()


class InATestCase(TestCase):
    """A test whose transaction is rolled back, as those of most sites are."""

    def test_block_of_the_test_is_distinguished_from_the_codes_own(self):
        assert django_internals.test_case_block(connection) == (True, None)
        with transaction.atomic():
            (own,) = savepoints(connection) - self.outside
            assert django_internals.test_case_block(connection) == (True, own)

    def test_callbacks_that_wait_for_ever_can_be_taken(self):
        calls = []
        ours, other = partial(calls.append, 1), partial(calls.append, 2)
        transaction.on_commit(ours)
        transaction.on_commit(other)
        assert take_test_callbacks(connection, lambda each: each is ours) == [ours]
        assert take_test_callbacks(connection, lambda each: True) == [other]

    def setUp(self):
        self.outside = savepoints(connection)


def test_answer_is_kept_out_of_the_cache_of_the_site():
    """An answer without `Cache-Control`, so that the request alone decides."""
    cache.clear()
    counted = []

    def view(request):
        counted.append(request.path)
        if request.path == "/kept-out/":
            keep_out_of_cache(request)
        return HttpResponse()

    ask = UpdateCacheMiddleware(FetchFromCacheMiddleware(view))
    for path in ("/kept/", "/kept/", "/kept-out/", "/kept-out/"):
        ask(RequestFactory().get(path))
    cache.clear()
    assert counted == ["/kept/", "/kept-out/", "/kept-out/"]


@pytest.fixture(params=[pre_delete, post_delete], ids=["pre_delete", "post_delete"])
def deletion(request):
    return request.param


@pytest.mark.parametrize("sender", [Token, None])
def test_row_is_not_deleted_alone_if_a_receiver_may_need_its_transaction(token, deletion, sender):
    def receive(**_):
        raise AssertionError

    deletion.connect(receive, sender=sender)
    try:
        assert not delete_alone(token, "default")
    finally:
        deletion.disconnect(receive, sender=sender)
    assert Token.objects.exists()


def test_row_that_others_refer_to_is_not_deleted_alone(token):
    assert not delete_alone(token.user, "default")
    assert User.objects.exists()


def test_row_is_deleted_alone_in_one_query_and_its_receivers_are_called(token):
    seen = []

    def receive(*, instance, using, **_):
        seen.append((instance, using, connection.in_atomic_block))

    receive.__module__ = django_internals.__name__  # as the library's own
    post_delete.connect(receive, sender=Token)
    try:
        with CaptureQueriesContext(connection) as queries:
            assert delete_alone(token, "default")
    finally:
        post_delete.disconnect(receive, sender=Token)
    assert [each["sql"].split()[0] for each in queries] == ["DELETE"]
    assert seen == [(token, "default", False)]
    assert not Token.objects.exists()


def test_every_private_part_has_a_test():
    text = Path(__file__).read_text()
    assert [name for name in django_internals.__all__ if text.count(name) < 2] == []
