"""What has ended although no row says so: denied by token or by user, for as long as it must be."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.denial import Denial
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification import denylist as module
from channels_token_auth.verification.denylist import EPOCH, SLACK, CacheUnavailable, Denylist
from tests.services import redis

from .odd_caches import Away, Counting, Deaf, cache, kinds_of_cache

HOUR = timedelta(hours=1)
TABLE = pytest.param("table", marks=pytest.mark.django_db(transaction=True))
KINDS = ["memory", "files", TABLE, "json", "redis"]
DAYS = 1000.0


@pytest.fixture(autouse=True)
def _new_process(monkeypatch, settings):
    """One that has seen no cache yet."""
    monkeypatch.setattr(module, "_seen", set())
    monkeypatch.setattr(module, "_STARTED", time.time() - 100)
    settings.CACHES = cache("django.core.cache.backends.locmem.LocMemCache")


@pytest.fixture
def denylist():
    return Denylist("default", seconds=DAYS)


@pytest.fixture(scope="module")
def redis_server():
    with redis() as server:
        yield server


def on(server):
    return cache("django.core.cache.backends.redis.RedisCache", LOCATION=server.url)


def use(kind, request):
    settings = request.getfixturevalue("settings")
    if kind == "redis":
        settings.CACHES = on(request.getfixturevalue("redis_server"))
        caches["default"].clear()
    else:
        settings.CACHES = kinds_of_cache(request.getfixturevalue("tmp_path"))[kind]
    if kind == "table":
        call_command("createcachetable", verbosity=0)
    return caches["default"]


@pytest.fixture(params=KINDS)
def any_cache(request):
    return use(request.param, request)


@pytest.fixture(params=["memory", TABLE, "json", "redis"])
def locking_cache(request):
    """Those whose `add` lets one succeed: that of files does not."""
    return use(request.param, request)


@pytest.fixture(params=["files", TABLE, "json", "redis"])
def shared_cache(request):
    return use(request.param, request)


@pytest.fixture
def counting(settings):
    settings.CACHES = cache(Counting)
    return caches["default"]


def held(token_id="t1", user_pk=1, *, issued_in=timedelta(seconds=2), expires_in=HOUR):
    now = datetime.now(UTC)
    authentication = Authentication(
        backend="jwt",
        token_id=token_id,
        location=Location.HEADER,
        issued_at=issued_in and now + issued_in,
        expires_at=expires_in and now + expires_in,
    )
    return Grant(user_pk=user_pk, authentication=authentication)


@pytest.mark.usefixtures("any_cache")
def test_denied_token_is_revoked_and_no_other(denylist):
    denylist.deny(held("t1").authentication)
    assert denylist.find([held("t1"), held("t2")]) == [CloseReason.TOKEN_REVOKED, None]


@pytest.mark.usefixtures("any_cache")
def test_token_is_denied_by_its_id_alone(denylist):
    denylist.deny_token("t1")
    assert denylist.find([held("t1"), held("t2")]) == [CloseReason.TOKEN_REVOKED, None]


@pytest.mark.usefixtures("any_cache")
def test_tokens_of_a_denied_user_are_revoked_and_nobody_elses(denylist):
    denylist.deny_user("1", Denial(before=time.time() + 10, except_token_id="t2"))
    found = denylist.find([held("t1"), held("t2"), held("t3", user_pk=2)])
    assert found == [CloseReason.TOKEN_REVOKED, None, None]


@pytest.mark.usefixtures("any_cache")
def test_users_denials_add_up(denylist):
    denylist.deny_user("1", Denial(before=time.time() + 10, except_token_id="t1"))
    denylist.deny_user("1", Denial(before=time.time() + 10, except_token_id="t2"))
    assert denylist.find([held("t1"), held("t2")]) == [CloseReason.TOKEN_REVOKED] * 2


def test_ids_and_users_may_be_any_text(any_cache, denylist, recwarn):
    odd = "a b\n" * 200 + "ü"
    denylist.deny_token(odd)
    denylist.deny_user(odd, Denial(before=time.time() + 10))
    assert denylist.find([held(odd), held("t2", odd)]) == [CloseReason.TOKEN_REVOKED] * 2
    assert not recwarn.list


@pytest.mark.usefixtures("locking_cache")
def test_processes_that_deny_at_once_lose_no_rule(denylist):
    """Each excepts another token: so that all are denied, when all are merged."""
    together = Barrier(4)

    def deny(number):
        together.wait()
        denylist.deny_user("1", Denial(before=time.time() + 10, except_token_id=f"t{number}"))
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deny, range(4)))
    asked = [held(f"t{number}") for number in range(4)]
    assert denylist.find(asked) == [CloseReason.TOKEN_REVOKED] * 4


def test_lock_of_a_process_that_died_holds_up_but_not_for_good(denylist, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.05)
    caches["default"].add(f"{module._user_key('1')}.lock", 1, None)
    denylist.deny_user("1", Denial(before=time.time() + 10))
    assert denylist.find([held()]) == [CloseReason.TOKEN_REVOKED]


def test_user_who_was_denied_may_come_again_by_what_has_no_time_of_issue(denylist):
    """Of a session no later one could be told: its store says whether it has ended."""
    denylist.deny_user("1", Denial(before=time.time()))
    assert denylist.find([held(issued_in=None)], told={"jwt"}) == [None]
    assert denylist.find([held(issued_in=None)]) == [CloseReason.TOKEN_REVOKED]


def test_wiped_cache_costs_nothing_where_a_store_tells(denylist, shared_cache):
    assert denylist.find([held("t9", user_pk=9, issued_in=-HOUR)], told={"jwt"}) == [None]


# -- How long


def timeout_of(counting, token_id):
    return counting.timeouts[module._token_key(token_id)]


def test_token_is_denied_as_long_as_it_lives_on_any_clock(denylist, counting):
    denylist.deny(held(expires_in=HOUR).authentication)
    lasts = timeout_of(counting, "t1")
    assert HOUR.total_seconds() < lasts <= HOUR.total_seconds() + SLACK


def test_token_that_never_expires_is_denied_for_good(denylist, counting):
    denylist.deny(held(expires_in=None).authentication)
    assert timeout_of(counting, "t1") is None


def test_token_that_has_expired_is_not_kept(denylist, counting):
    denylist.deny(held(expires_in=-2 * SLACK * timedelta(seconds=1)).authentication)
    assert counting.timeouts == {}


def test_token_of_which_the_id_is_known_is_denied_for_denylist_seconds(denylist, counting):
    denylist.deny_token("t1")
    assert timeout_of(counting, "t1") == DAYS


def test_user_is_denied_for_denylist_seconds(denylist, counting):
    denylist.deny_user("1", Denial(before=1.0))
    assert counting.timeouts[module._user_key("1")] == DAYS


def test_what_is_denied_for_good_is_not_shortened_by_who_knows_less(denylist, counting):
    denylist.deny(held(expires_in=None).authentication)
    denylist.deny_token("t1")
    assert timeout_of(counting, "t1") is None


# -- How many questions


def test_many_are_asked_about_in_one_round_trip(denylist, counting):
    denylist.deny_token("t1")
    counting.asked.clear()
    denylist.find([held(f"t{number}", user_pk=number) for number in range(500)])
    assert len(counting.asked) == 1


def test_of_nobody_nothing_is_asked(denylist, counting):
    assert denylist.find([]) == []
    assert counting.asked == []


# -- A cache that forgets


def test_shared_cache_that_was_wiped_ends_what_was_issued_before(shared_cache, denylist):
    denylist.deny_token("t1")
    shared_cache.clear()
    assert denylist.find([held("t1", issued_in=-HOUR)]) == [CloseReason.TOKEN_EXPIRED]


@pytest.mark.usefixtures("any_cache")
def test_token_issued_after_the_wipe_is_good(denylist):
    caches["default"].clear()
    assert denylist.find([held()]) == [None]


def test_token_of_the_same_second_may_be_the_successor_and_is_good(any_cache, denylist):
    denylist.find([held()])
    began_at = caches["default"].get(EPOCH)
    same = Authentication(
        backend="jwt",
        token_id="t1",
        location=Location.HEADER,
        issued_at=datetime.fromtimestamp(int(began_at), UTC),
    )
    assert denylist.find([Grant(user_pk=1, authentication=same)]) == [None]


def test_token_that_does_not_say_when_it_was_issued_survives_a_wipe(denylist):
    caches["default"].clear()
    assert denylist.find([held(issued_in=None)]) == [None]


SINCE_START = -timedelta(seconds=99)


def test_cache_of_this_process_alone_began_with_it(denylist):
    found = denylist.find([held(issued_in=SINCE_START), held(issued_in=-HOUR)])
    assert found == [None, CloseReason.TOKEN_EXPIRED]


@pytest.mark.parametrize("first", ["find", "deny"])
def test_cache_of_this_process_alone_that_was_wiped_is_noticed(first, denylist):
    if first == "find":
        denylist.find([held()])
    else:
        denylist.deny_token("t1")
    caches["default"].clear()
    assert denylist.find([held(issued_in=SINCE_START)]) == [CloseReason.TOKEN_EXPIRED]


def test_all_processes_agree_on_when_a_cache_began(any_cache, denylist):
    denylist.find([held()])
    began_at = any_cache.get(EPOCH)
    denylist.deny_token("t1")
    Denylist("default", seconds=DAYS).find([held()])
    assert any_cache.get(EPOCH) == began_at


def test_of_two_that_begin_at_once_the_first_one_counts(settings, denylist):
    """Its epoch was written between our look and ours."""
    settings.CACHES = cache(Counting)
    first = time.time() - 100
    caches["default"].get_many = lambda keys: {}
    caches["default"].add(EPOCH, first)
    found = denylist.find([held(issued_in=timedelta(seconds=-50)), held(issued_in=-HOUR)])
    assert found == [None, CloseReason.TOKEN_EXPIRED]


# -- A cache that fails


def test_cache_that_is_away_says_so(settings, denylist):
    settings.CACHES = cache(Away)
    for ask in (
        lambda: denylist.find([held()]),
        lambda: denylist.deny(held().authentication),
        lambda: denylist.deny_token("t1"),
        lambda: denylist.deny_user("1", Denial(before=1.0)),
    ):
        with pytest.raises(CacheUnavailable):
            ask()


def test_redis_that_is_killed_is_away_and_then_wiped(settings, denylist):
    with redis() as server:
        settings.CACHES = on(server)
        denylist.deny_token("t1")
        server.stop()
        with pytest.raises(CacheUnavailable):
            denylist.find([held("t1")])
        with pytest.raises(CacheUnavailable):
            denylist.deny_token("t2")
        server.start()
        assert denylist.find([held("t1", issued_in=-HOUR)]) == [CloseReason.TOKEN_EXPIRED]


@pytest.mark.parametrize("kind", [Deaf, "django.core.cache.backends.dummy.DummyCache"])
def test_cache_that_drops_what_it_is_given_denies_nothing_in_silence(kind, settings, denylist):
    settings.CACHES = cache(kind)
    for deny in (
        lambda: denylist.deny(held().authentication),
        lambda: denylist.deny_token("t1"),
        lambda: denylist.deny_user("1", Denial(before=1.0)),
    ):
        with pytest.raises(CacheUnavailable):
            deny()


def test_cache_that_ignores_its_exceptions_is_away_and_not_wiped(settings, denylist):
    settings.CACHES = cache(Deaf)
    with pytest.raises(CacheUnavailable):
        denylist.find([held(issued_in=-HOUR)])


def test_site_without_a_cache_lets_in_what_was_issued_since_its_start(settings, denylist):
    settings.CACHES = cache("django.core.cache.backends.dummy.DummyCache")
    for _ in range(2):
        found = denylist.find([held(issued_in=SINCE_START), held(issued_in=-HOUR)])
        assert found == [None, CloseReason.TOKEN_EXPIRED]
