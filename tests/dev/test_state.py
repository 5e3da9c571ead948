"""A test begins without the connections that an earlier one has opened in a thread."""

from asgiref.sync import SyncToAsync
from django.contrib.auth.models import User
from django.db import connection

from tests.plugins import state

THREAD = SyncToAsync.single_thread_executor


def test_connection_that_a_test_opened_in_the_thread_is_closed_before_the_next(transactional_db):
    for _ in range(2):
        THREAD.submit(User.objects.exists).result()
        state.pytest_runtest_setup()
        assert THREAD.submit(lambda: connection.connection).result() is None
