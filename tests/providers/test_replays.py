"""A token is acted on once, by one process of all; and again only if the first attempt failed."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.providers import replays
from channels_token_auth.providers.replays import once
from tests.docs.pages import ROOT
from tests.services import redis
from tests.verification.odd_caches import Away, Deaf, cache

PROGRAM = """
import json, sys, threading
from django.conf import settings
url = sys.argv[1]
redis = "django.core.cache.backends.redis.RedisCache"
settings.configure(
    SECRET_KEY="of the tests", CACHES={"default": {"BACKEND": redis, "LOCATION": url}},
    CHANNELS_TOKEN_AUTH={"BACKENDS": [{"BACKEND": "any.Backend"}]},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
)
import django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from channels_token_auth.providers import replays
from channels_token_auth.providers.replays import once
replays.WAIT_SECONDS = 60  # one of many busy processes may wait longer than a request should

def attempt(_):
    with once("https://sso.test", "logout+jwt", "a1", seconds=60) as is_new:
        return is_new

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(5) as pool:
    print(json.dumps(list(pool.map(attempt, range(5)))))
"""


def attempt(jti="a1", issuer="https://sso.test", kind="logout+jwt", seconds=60):
    with once(issuer, kind, jti, seconds=seconds) as is_new:
        return is_new


def test_second_attempt_is_a_replay():
    assert [attempt(), attempt()] == [True, False]


def test_ids_belong_to_their_issuer_and_kind():
    assert attempt()
    assert attempt(issuer="https://other.test")
    assert attempt(kind="secevent+jwt")


def test_attempt_that_failed_is_tried_again():
    with pytest.raises(KeyError), once("https://sso.test", "logout+jwt", "a1", seconds=60):
        raise KeyError
    assert attempt()


def test_copy_waits_for_the_attempt_under_way_and_takes_over_if_it_fails(monkeypatch):
    monkeypatch.setattr(replays, "WAIT_SECONDS", 60)
    begun, fails = threading.Event(), threading.Event()

    def fail():
        with once("https://sso.test", "logout+jwt", "a1", seconds=60):
            begun.set()
            fails.wait(60)
            raise KeyError

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(fail)
        begun.wait(60)
        copy = pool.submit(attempt)
        time.sleep(0.1)
        assert not copy.done()
        fails.set()
        assert copy.result(60)
        assert isinstance(running.exception(60), KeyError)


def test_copy_of_an_attempt_that_never_ends_is_unavailable(monkeypatch):
    monkeypatch.setattr(replays, "WAIT_SECONDS", 0.05)
    with once("https://sso.test", "logout+jwt", "a1", seconds=60):
        with pytest.raises(TokenAuthError) as raised:
            attempt()
        assert raised.value.code is CloseReason.UNAVAILABLE


@pytest.mark.parametrize("kind", [Away, Deaf])
def test_cache_that_fails_is_unavailable(site, kind):
    site.CACHES = cache(kind)
    with pytest.raises(TokenAuthError) as raised:
        attempt()
    assert raised.value.code is CloseReason.UNAVAILABLE


def test_token_that_was_noted_under_a_former_secret_key_is_a_replay(site):
    assert attempt()
    site.SECRET_KEY, site.SECRET_KEY_FALLBACKS = "the next one", [site.SECRET_KEY]
    assert not attempt()


@pytest.mark.slow  # it starts two processes
def test_one_of_two_processes_acts_on_a_token():
    with redis() as server:
        command = [sys.executable, "-c", PROGRAM, server.url]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        processes = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(2)]
        for each in processes:
            assert each.stdout.readline() == "ready\n"
        for each in processes:
            each.stdin.write("\n")
            each.stdin.flush()
        answers = [json.loads(each.communicate(timeout=120)[0]) for each in processes]
    assert sum(map(sum, answers)) == 1
