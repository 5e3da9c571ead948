"""A cache that lost its denials is noticed; one that never had any refuses nobody."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle

import pytest
from django.core.cache import caches

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification.denylist import CacheUnavailable, Denylist
from channels_token_auth.verification.denylist.denylist import forget_epochs
from tests.services import redis

from .odd_caches import Away, Deaf, Remote, cache
from .test_denylist import HOUR, held, on

EXPIRED = CloseReason.TOKEN_EXPIRED
OLD = -HOUR
# A process keeps what it knows by the name of the cache. So one cache with many names is one that
# many processes share.
NAMES = ("default", "second", "third", "fourth", "fifth")
names = cycle(NAMES)


def named_by_all(caches):
    return {name: {**caches["default"]} for name in NAMES}


class Process:
    """A process of the site: what it knows of the cache is its own."""

    def __init__(self):
        self.name = next(names)
        self.denylist = Denylist(self.name, denylist_seconds=1000)

    def deny(self, token_id="denied"):
        self.denylist.deny_token(token_id, backend="jwt")

    def answer(self, issued_in=OLD):
        return self.denylist.find([held(issued_in=issued_in)])[0]

    def learn(self, other):
        self.denylist.learn_epoch(other.denylist.epoch_id)

    def sweep(self):
        self.denylist.check_epoch()


@pytest.fixture(autouse=True)
def shared(settings):
    """A cache that all processes share."""
    settings.CACHES = named_by_all(cache(Remote))
    return caches["default"]


def test_first_token_of_a_new_site_is_good():
    assert Process().answer() is None


def test_empty_cache_refuses_nobody_as_long_as_no_token_was_denied(shared):
    process = Process()
    process.answer()
    shared.clear()
    assert process.answer() is None


def test_restart_on_a_cache_of_one_process_refuses_nobody(settings):
    process = Process()
    for _ in range(2):
        settings.CACHES = named_by_all(cache("django.core.cache.backends.locmem.LocMemCache"))
        assert process.answer() is None
        process.deny()


def test_process_that_forgot_its_epochs_notices_no_wipe(shared):
    process = Process()
    process.deny()
    forget_epochs()
    shared.clear()
    assert process.answer() is None


@pytest.mark.parametrize("moment", ["answer", "sweep", "deny"])
def test_process_that_denied_notices_the_wipe(shared, moment):
    process = Process()
    process.deny()
    shared.clear()
    getattr(process, moment)()
    assert process.answer() is EXPIRED


@pytest.mark.parametrize("moment", ["answer", "sweep"])
def test_process_that_read_the_epoch_notices_the_wipe(shared, moment):
    Process().deny()
    reader = Process()
    getattr(reader, moment)()
    shared.clear()
    assert reader.answer() is EXPIRED


def test_token_issued_after_the_wipe_is_good(shared):
    process = Process()
    process.deny()
    shared.clear()
    assert process.answer(timedelta(seconds=2)) is None


def test_token_of_the_second_of_the_wipe_may_be_the_successor_and_is_good(shared, monkeypatch):
    process, wiped_at = Process(), time.time()
    process.deny()
    shared.clear()
    monkeypatch.setattr(time, "time", lambda: wiped_at)
    process.sweep()
    second = datetime.fromtimestamp(int(wiped_at), UTC)
    token = replace(held().authentication, issued_at=second)
    assert process.denylist.find([Grant(user_pk=1, authentication=token)]) == [None]


def test_token_without_a_time_of_issue_survives_a_wipe(shared):
    process = Process()
    process.deny()
    shared.clear()
    assert process.answer(None) is None


def test_wipe_costs_nothing_where_a_store_shows_revocations(shared):
    process = Process()
    process.deny()
    shared.clear()
    assert process.denylist.find([held(issued_in=OLD)], with_store={"jwt"}) == [None]


def test_process_that_started_later_adopts_the_wipe(shared):
    process = Process()
    process.deny()
    shared.clear()
    process.sweep()
    assert Process().answer() is EXPIRED


def test_wipe_is_noticed_although_another_process_began_a_new_epoch(shared):
    process = Process()
    process.deny()
    shared.clear()
    Process().deny()
    assert process.answer() is EXPIRED
    assert Process().answer() is EXPIRED


def test_process_that_learnt_the_epoch_from_a_node_notices_the_wipe(shared):
    first, second = Process(), Process()
    first.deny()
    second.learn(first)
    shared.clear()
    assert second.answer() is EXPIRED


def test_learnt_epoch_that_is_the_caches_refuses_nobody():
    first, second = Process(), Process()
    first.deny()
    second.learn(first)
    assert second.answer() is None


def test_epoch_that_is_known_is_not_replaced_by_a_learnt_one(shared):
    first, second = Process(), Process()
    first.deny()
    shared.clear()
    first.sweep()
    second.answer()
    third = Process()
    third.deny()
    second.learn(third)
    assert second.denylist.epoch_id == first.denylist.epoch_id


def test_processes_that_deny_for_the_first_time_agree(shared):
    first, second = Process(), Process()
    first.deny()
    second.deny()
    assert first.answer() is second.answer() is None


def test_two_processes_that_notice_the_wipe_agree(shared):
    processes = [Process(), Process()]
    for process in processes:
        process.deny()
    shared.clear()
    for process in processes * 2:
        assert process.answer() is EXPIRED


def test_each_site_on_a_cache_has_an_epoch_of_its_own(settings):
    ours, theirs = Process(), Process()
    settings.SECRET_KEY, key = "another site's", settings.SECRET_KEY
    theirs.deny()
    settings.SECRET_KEY = key
    ours.sweep()
    assert ours.denylist.epoch_id is None


def test_rotation_of_the_secret_key_is_no_wipe(settings):
    Process().deny()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the new one"
    restarted = Process()
    assert restarted.answer() is None
    restarted.deny()
    assert restarted.answer() is None


def test_wipe_during_a_rotation_is_noticed_with_either_key(shared, settings):
    process = Process()
    process.deny()
    shared.clear()
    process.sweep()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the new one"
    assert Process().answer() is EXPIRED


@pytest.mark.parametrize("kind", [Away, Deaf])
def test_cache_that_fails_is_unavailable_and_not_wiped(settings, kind, shared):
    process = Process()
    process.deny()
    path = f"{kind.__module__}.{kind.__name__}"
    caches.settings[process.name]["BACKEND"] = path
    del caches[process.name]
    with pytest.raises(CacheUnavailable):
        process.answer()


def test_redis_that_is_killed_is_unavailable_and_then_wiped(settings):
    with redis() as server:
        settings.CACHES = named_by_all(on(server))
        process = Process()
        process.deny("t1")
        server.stop()
        with pytest.raises(CacheUnavailable):
            process.answer()
        with pytest.raises(CacheUnavailable):
            process.deny("t2")
        server.start()
        assert process.answer() is EXPIRED
