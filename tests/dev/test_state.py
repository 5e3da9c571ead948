"""A test begins without what an earlier one has left in threads: connections and requests."""

import threading

import jwt
import pytest
from asgiref.sync import SyncToAsync
from django.contrib.auth.models import User
from django.db import connection

from channels_token_auth.backends.introspection.client import IntrospectionClient, SiteCredentials
from channels_token_auth.backends.sources.jwks.key_server import KeyServer
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.limits import Limit, Rate
from channels_token_auth.limits.rate_counter import RateCounter
from channels_token_auth.limits.shared_counters import SharedCounters
from tests.plugins import state

THREAD = SyncToAsync.single_thread_executor


def test_connection_that_a_test_opened_in_the_thread_is_closed_before_the_next(transactional_db):
    for _ in range(2):
        THREAD.submit(User.objects.exists).result()
        state.pytest_runtest_setup()
        assert THREAD.submit(lambda: connection.connection).result() is None


def test_every_thread_that_sends_requests_is_waited_for(monkeypatch):
    names = []

    def start(thread):
        names.append(thread.name.partition("_")[0])
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    url, times = "http://127.0.0.1:9/", {"lifetime": 1, "stale": 1, "timeout": 1}
    token = jwt.encode({"iss": url}, "k" * 32, "HS256")
    KeyServer(url, algorithms=["RS256"], **times).look_for(None, token)
    own = SiteCredentials(None, None, "ours")
    with pytest.raises(RuntimeError):
        IntrospectionClient(url, own, timeout=1, max_parallel=1).ask([Secret("theirs")])
    RateCounter(Limit.FAILURES, Rate(1, 60), SharedCounters(Secret("memory://"))).add("key")
    assert sorted(names) == sorted(state.REQUESTS)
