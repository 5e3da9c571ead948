"""How long denials last: a second one never shortens the first, also in two processes at once."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from threading import Barrier

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connections

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.denial import Denial
from channels_token_auth.core.identity import Grant, UserKey
from channels_token_auth.verification.denylist import CacheUnavailable, Denylist
from channels_token_auth.verification.denylist.lock import LOCK_SECONDS, locked
from channels_token_auth.verification.denylist.names import token_names
from channels_token_auth.verification.denylist.store import open_store

from .odd_caches import Counting, JSONCache, cache, kinds_of_cache

DAY = 86400.0
SHORT, LONG = 30 * DAY, 90 * DAY
ADA = UserKey(kind="auth.user", key="1")
SID, CLIENT = ("sid", "s1"), ("client_id", "web")
REVOKED = CloseReason.TOKEN_REVOKED
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
TABLE = pytest.param("table", marks=pytest.mark.django_db(transaction=True))


@pytest.fixture(params=["memory", TABLE, "json"])
def any_cache(request, tmp_path):
    """Caches whose `add` lets one succeed."""
    request.getfixturevalue("settings").CACHES = kinds_of_cache(tmp_path)[request.param]
    if request.param == "table":
        call_command("createcachetable", verbosity=0)
        caches["default"].clear()


@pytest.fixture
def counting(settings):
    settings.CACHES = cache(Counting)
    return caches["default"]


@pytest.fixture
def later(monkeypatch):
    """Let the calendar go ahead, and with it the caches of this process."""

    def later(seconds):
        moment = time.time() + seconds
        monkeypatch.setattr(time, "time", lambda: moment)

    return later


def token(token_id="t1", *, lives=LONG, **values):
    expires_at = None if lives is None else datetime.now(UTC) + timedelta(seconds=lives)
    return Authentication(
        backend="jwt",
        token_id=token_id,
        location=Location.HEADER,
        issued_at=datetime.fromtimestamp(1000, UTC),
        expires_at=expires_at,
        **values,
    )


def verdict(auth, denylist=None):
    denylist = denylist or Denylist("default", denylist_seconds=SHORT)
    grant = Grant(user_pk=ADA.key, user_kind=ADA.kind, authentication=auth)
    return denylist.find([grant])[0]


def end_of(auth):
    """The end that the token's entry holds: a table does not follow the calendar of a test."""
    name = token_names(auth)[0][0]
    with open_store("default") as entries:
        return entries.get_many([name])[name]


def by_token(auth):
    Denylist("default", denylist_seconds=SHORT).deny(auth)


def by_id(seconds):
    denylist = Denylist("default", denylist_seconds=seconds)
    return lambda auth: denylist.deny_token(auth.token_id, backend="jwt")


@pytest.mark.usefixtures("any_cache")
@pytest.mark.parametrize("denials", list(permutations([by_token, by_id(SHORT), by_id(DAY)])))
def test_of_several_denials_of_a_token_the_longest_counts(denials):
    for deny in denials:
        deny(token())
    assert end_of(token()) == pytest.approx(time.time() + LONG, abs=120)


def test_token_is_denied_until_the_longest_denial_ends(settings, later):
    settings.CACHES = cache(LOCMEM)
    for deny in (by_token, by_id(SHORT)):
        deny(token())
    later(LONG - DAY)
    assert verdict(token()) is REVOKED


@pytest.mark.parametrize("denials", list(permutations([by_token, by_id(SHORT)])))
def test_what_is_denied_for_good_stays_so(denials, counting):
    for deny in denials:
        deny(token(lives=None))
    assert counting.timeouts[token_names(token())[0][0]] is None


@pytest.mark.usefixtures("any_cache")
@pytest.mark.parametrize("again", [by_token, by_id(SHORT)])
def test_token_until_the_end_of_the_calendar_is_denied_in_every_cache(again):
    never = replace(token(), expires_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    by_token(never)
    again(never)
    assert verdict(never) is REVOKED


@pytest.mark.parametrize("deny", [by_token, by_id(100 * 365 * DAY)])
def test_denial_whose_end_a_cache_may_not_hold_has_none(deny, counting):
    for _ in range(2):
        deny(token(lives=100 * 365 * DAY))
        assert counting.timeouts[token_names(token())[0][0]] is None


@pytest.mark.parametrize("denials", list(permutations([by_token, by_id(SHORT)])))
def test_cache_keeps_the_entry_for_the_longer_time(denials, counting):
    for deny in denials:
        deny(token())
    longest = max(filter(None, counting.timeouts.values()))
    assert longest == pytest.approx(LONG, abs=120)


def test_entry_of_an_earlier_version_is_read_and_never_shortened(counting):
    by_token(token())
    (key,) = (key for key, value in counting.contents.items() if isinstance(value, float))
    counting.contents[key] = 1
    assert verdict(token()) is REVOKED
    by_id(DAY)(token())
    assert counting.timeouts[key] is None


@pytest.mark.usefixtures("any_cache")
@pytest.mark.asvs("15.4.2")
def test_processes_that_deny_a_token_at_once_keep_the_longest_end():
    together, auth = Barrier(4), token()

    def deny(seconds):
        together.wait()
        by_id(seconds)(auth)
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deny, [DAY, LONG, 2 * DAY, 3 * DAY]))
    assert end_of(auth) == pytest.approx(time.time() + LONG, abs=120)


# -- Users and labels


def test_shorter_setting_does_not_shorten_the_denial_of_a_user(counting):
    for seconds in (LONG, DAY):
        Denylist("default", denylist_seconds=seconds).deny_user(ADA, Denial(before=2000.0))
    ends = [seconds for key, seconds in counting.timeouts.items() if _is_rule(counting, key)]
    assert ends == [pytest.approx(LONG, abs=120)]


def test_shorter_setting_does_not_shorten_the_denial_of_a_label(counting):
    for seconds in (LONG, DAY):
        denylist = Denylist("default", denylist_seconds=seconds)
        denylist.deny_labels(frozenset({SID}), Denial(before=2000.0), backend="jwt")
    ends = [seconds for key, seconds in counting.timeouts.items() if _is_rule(counting, key)]
    assert ends == [pytest.approx(LONG, abs=120)]


def _is_rule(counting, key):
    value = counting.contents.get(key)
    return isinstance(value, list) or (isinstance(value, dict) and "before" in value)


@pytest.mark.parametrize("kind", [LOCMEM, JSONCache])
def test_denial_of_old_tokens_by_label_survives_another_of_that_label(kind, settings):
    """A token without a time of issue is denied by it, however long ago `before` is."""
    settings.CACHES = cache(kind)
    denylist = Denylist("default", denylist_seconds=SHORT)
    denylist.deny_labels(frozenset({SID, CLIENT}), Denial(before=1.0), backend="jwt")
    denylist.deny_labels(frozenset({SID, ("x", "y")}), Denial(before=time.time()), backend="jwt")
    old = replace(token(labels=dict([SID, CLIENT])), issued_at=None)
    assert verdict(old) is REVOKED


@pytest.mark.asvs("14.2.7")
def test_denials_of_a_label_that_are_over_are_dropped(settings, later):
    settings.CACHES = cache(JSONCache)
    denylist = Denylist("default", denylist_seconds=DAY)
    for number in range(3):
        denylist.deny_labels(
            frozenset({SID, ("n", str(number))}), Denial(before=1.0), backend="jwt"
        )
        later(2 * DAY)
    entries = map(json.loads, caches["default"].contents.values())
    assert [len(each) for each in entries if isinstance(each, list)] == [1]


# -- The lock


@pytest.fixture
def entries(settings):
    settings.CACHES = cache(Counting)
    with open_store("default") as entries:
        yield entries


@pytest.mark.asvs("15.4.3")
def test_lock_that_cannot_be_had_is_unavailable(entries):
    entries.add("key.lock", "another process's", None)
    started = time.monotonic()
    with pytest.raises(CacheUnavailable), locked(entries, "key"):
        pytest.fail("The lock was not free.")
    assert time.monotonic() - started > LOCK_SECONDS
    assert entries.get_many(["key.lock"])


@pytest.mark.parametrize(
    "deny",
    [
        lambda denylist: denylist.deny_user(ADA, Denial(before=2.0)),
        lambda denylist: denylist.deny_labels(frozenset({SID}), Denial(before=2.0), backend="jwt"),
        lambda denylist: denylist.deny_token("t1", backend="jwt"),
    ],
)
def test_denial_without_the_lock_is_unavailable_and_stores_nothing(deny, counting):
    denylist = Denylist("default", denylist_seconds=DAY)
    deny(denylist)
    (lock,) = _locks_of(counting, deny, denylist)
    counting.contents[lock] = "another process's"
    before = dict(counting.contents)
    with pytest.raises(CacheUnavailable):
        deny(denylist)
    assert counting.contents == before


def _locks_of(counting, deny, denylist):
    deny(denylist)
    return [key for key in counting.timeouts if key.endswith(".lock")]


def test_holder_releases_the_lock(entries):
    with locked(entries, "key"):
        assert entries.get_many(["key.lock"])
    assert not entries.get_many(["key.lock"])


def test_lock_that_lapsed_and_belongs_to_another_process_is_left_alone(entries):
    with locked(entries, "key"):
        entries.set("key.lock", "another process's", None)
    assert entries.get_many(["key.lock"])


@pytest.mark.asvs("15.4.3")
def test_holder_whose_lock_has_lapsed_stores_nothing(entries, monkeypatch):
    later = time.monotonic() + LOCK_SECONDS + 1
    with locked(entries, "key") as require_lock:
        require_lock()
        monkeypatch.setattr(time, "monotonic", lambda: later)
        with pytest.raises(CacheUnavailable):
            require_lock()
    assert entries.get_many(["key.lock"])  # it may be another process's by now
