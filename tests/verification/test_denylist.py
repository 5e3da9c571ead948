"""Revoked tokens without a row: denied by token, user or label, for as long as it must be."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
from channels_token_auth.core.identity import FOREIGN, Grant, UserKey
from channels_token_auth.core.revocation import Target
from channels_token_auth.verification.denylist import (
    SLACK,
    CacheUnavailable,
    Denylist,
    first_verified,
    is_shared,
    lock,
    store,
)
from tests.memory import kept_by
from tests.services import redis

from .odd_caches import Away, Counting, Deaf, Remote, cache, kinds_of_cache

HOUR = timedelta(hours=1)
TABLE = pytest.param("table", marks=pytest.mark.django_db(transaction=True))
DAYS = 1000.0
ADA, BOB = UserKey(kind="auth.user", key="1"), UserKey(kind="auth.user", key="2")
LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
DUMMY = "django.core.cache.backends.dummy.DummyCache"
REVOKED = CloseReason.TOKEN_REVOKED
FOR_GOOD = 2
SID = frozenset({("sid", "s1")})


@pytest.fixture(autouse=True)
def site(settings):
    """One that has a new cache, of which this process knows nothing."""
    settings.CACHES = cache(LOCMEM)
    yield settings
    first_verified.clear()


@pytest.fixture
def denylist():
    return Denylist("default", denylist_seconds=DAYS)


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
        caches["default"].clear()  # no flush of the database empties it
    return caches["default"]


@pytest.fixture(params=["memory", "files", TABLE, "json", "redis"])
def any_cache(request):
    return use(request.param, request)


@pytest.fixture(params=["memory", TABLE, "json", "redis"])
def locking_cache(request):
    """Return a cache whose `add` succeeds for one caller only; that of files does not."""
    return use(request.param, request)


@pytest.fixture
def counting(settings):
    settings.CACHES = cache(Counting)
    return caches["default"]


def held(token_id="t1", user=ADA, *, issued_in=timedelta(seconds=-9), expires_in=HOUR, **fields):
    now = datetime.now(UTC)
    authentication = Authentication(
        backend=fields.pop("backend", "jwt"),
        token_id=token_id,
        location=Location.HEADER,
        issued_at=issued_in and now + issued_in,
        expires_at=expires_in and now + expires_in,
        **fields,
    )
    return Grant(user_pk=user.key, user_kind=user.kind, authentication=authentication)


def now(**fields):
    return Denial(before=time.time(), **fields)


@pytest.mark.usefixtures("any_cache")
def test_denied_token_is_revoked_and_no_other(denylist):
    denylist.deny(held("t1").authentication)
    assert denylist.find([held("t1"), held("t2")]) == [REVOKED, None]


@pytest.mark.usefixtures("any_cache")
def test_token_is_denied_by_its_id_alone(denylist):
    denylist.deny_token("t1", backend="jwt")
    assert denylist.find([held("t1"), held("t2")]) == [REVOKED, None]


@pytest.mark.usefixtures("any_cache")
def test_tokens_of_a_denied_user_are_revoked_and_nobody_elses(denylist):
    denylist.deny_user(ADA, now(except_token_id="t2"))
    assert denylist.find([held("t1"), held("t2"), held("t3", BOB)]) == [REVOKED, None, None]


@pytest.mark.usefixtures("any_cache")
def test_users_denials_add_up(denylist):
    denylist.deny_user(ADA, now(except_token_id="t1"))
    denylist.deny_user(ADA, now(except_token_id="t2"))
    assert denylist.find([held("t1"), held("t2")]) == [REVOKED] * 2


@pytest.mark.usefixtures("any_cache")
def test_tokens_with_a_denied_label_are_revoked_and_no_others(denylist):
    denylist.deny_labels(SID, now(), backend="jwt")
    asked = [held(labels=each) for each in ({"sid": "s1"}, {"sid": "s2"}, {"azp": "s1"}, {})]
    assert denylist.find(asked) == [REVOKED, None, None, None]


@pytest.mark.usefixtures("any_cache")
def test_token_needs_all_labels_of_a_denial(denylist):
    both = {"sid": "s1", "client_id": "web"}
    denylist.deny_labels(frozenset(both.items()), now(), backend="jwt")
    asked = [held(labels=each) for each in (both, {"sid": "s1"}, {"client_id": "web"})]
    assert denylist.find(asked) == [REVOKED, None, None]


@pytest.mark.usefixtures("any_cache")
def test_denials_of_one_label_add_up(denylist):
    for user, other in ((ADA, "a"), (BOB, "b"), (None, "c")):
        labels = SID | {("tid", other)}
        denylist.deny_labels(labels, now(), backend="jwt", user=user)
    asked = [
        held(user=user, labels={"sid": "s1", "tid": tid}) for user in (ADA, BOB) for tid in "abc"
    ]
    assert denylist.find(asked) == [REVOKED, None, REVOKED, None, REVOKED, REVOKED]


@pytest.mark.parametrize(
    ("user", "found"),
    [
        (ADA, [REVOKED, None, None]),
        (UserKey(kind=None, key="1"), [REVOKED, REVOKED, None]),
        (UserKey(kind=FOREIGN, key="1"), [None, REVOKED, None]),
    ],
)
def test_label_of_a_user_denies_no_other_users_tokens(denylist, user, found):
    service = UserKey(kind="issuer:https://a", key="1")
    denylist.deny_labels(SID, now(), backend="jwt", user=user)
    asked = [held(user=each, labels=dict(SID)) for each in (ADA, service, BOB)]
    assert denylist.find(asked) == found


def test_store_knows_no_label_so_that_it_denies_tokens_without_a_time_of_issue_too(denylist):
    denylist.deny_labels(SID, now(), backend="jwt")
    undated = held(labels=dict(SID), issued_in=None)
    assert denylist.find([undated], with_store={"jwt"}) == [REVOKED]


def test_label_is_denied_for_tokens_that_were_issued_before_only(denylist):
    denylist.deny_labels(SID, now(), backend="jwt")
    later = held(labels={"sid": "s1"}, issued_in=timedelta(seconds=2))
    assert denylist.find([later]) == [None]


def test_ids_users_and_labels_may_be_any_text(any_cache, denylist, recwarn):
    odd = "a b\n" * 200 + "ü"
    denylist.deny_token(odd, backend=odd)
    denylist.deny_user(UserKey(kind=odd, key=odd), now())
    denylist.deny_labels(frozenset({(odd, odd)}), now(), backend=odd, issuers=[odd])
    asked = [
        held(odd, backend=odd),
        held("t2", UserKey(kind=odd, key=odd)),
        held("t3", backend=odd, issuer=odd, labels={odd: odd}),
    ]
    assert denylist.find(asked) == [REVOKED] * 3
    assert not recwarn.list


# -- Whose token, user and label it is


@pytest.mark.parametrize(
    "other",
    [
        {"backend": "other"},
        {"issuer": "https://b"},
        {"issuer": None},
        {"tenant": "b"},
    ],
)
def test_id_of_one_backend_issuer_and_tenant_denies_no_other_token(denylist, other):
    mine = {"backend": "jwt", "issuer": "https://a", "tenant": "a"}
    denylist.deny(held(**mine).authentication)
    assert denylist.find([held(**mine), held(**mine | other)]) == [REVOKED, None]


@pytest.mark.parametrize(("issuer", "found"), [(None, REVOKED), ("a", REVOKED), ("b", None)])
def test_denial_without_an_issuer_denies_the_id_of_any(denylist, issuer, found):
    denylist.deny_token("t1", backend="jwt", issuer=issuer)
    denylist.deny_labels(SID, now(), backend="jwt", issuers=[issuer])
    asked = [held(issuer="a"), held("t2", issuer="a", labels={"sid": "s1"})]
    assert denylist.find(asked) == [found, found]


def test_label_of_tokens_without_an_issuer_denies_these_alone(denylist):
    denylist.deny_labels(SID, now(), backend="jwt", issuers=["a", ""])
    asked = [held(each or "t", issuer=each, labels={"sid": "s1"}) for each in ("a", None, "b")]
    assert denylist.find(asked) == [REVOKED, REVOKED, None]


def test_user_of_another_kind_with_the_same_key_is_somebody_else(denylist):
    denylist.deny_user(ADA, now())
    others = [UserKey(kind="backend:simplejwt", key="1"), UserKey(kind="auth.user@b", key="1")]
    assert denylist.find([held(user=each) for each in others]) == [None, None]


def test_another_site_on_the_same_cache_denies_nothing_here(denylist, settings):
    settings.CACHES = cache(Remote)
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another site's"
    denylist.deny_token("t1", backend="jwt")
    denylist.deny_user(ADA, now())
    settings.SECRET_KEY = key
    assert denylist.find([held("t1"), held("t2")]) == [None, None]


def test_denials_survive_the_rotation_of_the_secret_key(denylist, settings):
    settings.CACHES = cache(Remote)
    denylist.deny_token("t1", backend="jwt")
    denylist.deny_user(ADA, now(except_token_id="t1"))
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the new one"
    denylist.deny_user(ADA, now(except_token_id="t2"))
    assert denylist.find([held("t1", BOB), held("t1"), held("t2")]) == [REVOKED] * 3


# -- The second of the revocation


def test_token_of_that_second_is_good_unless_it_was_presented_before(denylist):
    denylist.deny_user(ADA, Denial(before=1000.5))
    fresh = replace(held().authentication, issued_at=datetime.fromtimestamp(1000, UTC))
    grants = [
        Grant(user_pk="1", user_kind=ADA.kind, authentication=fresh, verified_at=at)
        for at in (None, 1000.4, 1000.6)
    ]
    assert denylist.find(grants) == [None, REVOKED, None]


def test_tokens_of_that_second_that_this_process_has_seen_before_are_denied(denylist):
    moment = time.time()
    second = timedelta(seconds=int(moment) - moment)
    for token_id, at in (("old", moment - 0.1), ("new", moment + 0.1), ("kept", moment - 0.1)):
        token = held(token_id, issued_in=second).authentication
        first_verified.note(token, ADA, at=at)
    denylist.deny_user(ADA, Denial(before=moment, except_token_id="kept"))
    denylist.deny_first_verified(Target.of_user(ADA, except_token_id="kept", issued_before=moment))
    assert denylist.find([held(each) for each in ("old", "new", "kept")])[0] is REVOKED
    fresh = [held(each, issued_in=timedelta(seconds=1)) for each in ("old", "new", "kept")]
    assert denylist.find(fresh) == [REVOKED, None, None]


# -- Processes


@pytest.mark.usefixtures("locking_cache")
def test_processes_that_deny_at_once_lose_no_rule(denylist, monkeypatch):
    """Each excepts another token: so that all are denied, when all are merged."""
    # A slow machine needs more than the two seconds for which a lock lasts.
    monkeypatch.setattr(lock, "LOCK_SECONDS", 60)
    together = Barrier(4)

    def deny(number):
        together.wait()
        denylist.deny_user(ADA, now(except_token_id=f"t{number}"))
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deny, range(4)))
    asked = [held(f"t{number}") for number in range(4)]
    assert denylist.find(asked) == [REVOKED] * 4


def test_user_who_was_denied_may_log_in_again_by_what_has_no_time_of_issue(denylist):
    """No later session could be told from an earlier one: its store shows what has ended."""
    denylist.deny_user(ADA, now())
    assert denylist.find([held(issued_in=None)], with_store={"jwt"}) == [None]
    assert denylist.find([held(issued_in=None)]) == [REVOKED]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(LOCMEM, False), (DUMMY, False), (Remote, True)],
)
def test_whether_other_processes_see_a_cache(settings, kind, expected):
    settings.CACHES = cache(kind)
    assert is_shared("default") is expected


# -- How long


def lasting(counting):
    """How long each entry lasts, except those that stay for good and tell no token or user."""
    entries = counting.contents.items()
    return [counting.timeouts[key] for key, value in entries if _is_denial(value)]


def _is_denial(value):
    return value == FOR_GOOD or (isinstance(value, dict) and "before" in value)


def test_token_is_denied_as_long_as_it_lives_on_any_clock(denylist, counting):
    denylist.deny(held(expires_in=HOUR).authentication)
    lasts = max(filter(None, counting.timeouts.values()))
    assert HOUR.total_seconds() < lasts <= HOUR.total_seconds() + SLACK


def test_token_that_never_expires_is_denied_for_good(denylist, counting):
    denylist.deny(held(expires_in=None).authentication)
    assert lasting(counting) == [None]


@pytest.mark.asvs("14.2.7")
def test_token_that_has_expired_is_not_kept(denylist, counting):
    denylist.deny(held(expires_in=-2 * SLACK * timedelta(seconds=1)).authentication)
    assert counting.timeouts == {}


def test_token_of_which_the_id_is_known_is_denied_for_denylist_seconds(denylist, counting):
    denylist.deny_token("t1", backend="jwt")
    assert max(filter(None, counting.timeouts.values())) == pytest.approx(DAYS, abs=120)


def test_user_is_denied_for_denylist_seconds(denylist, counting):
    denylist.deny_user(ADA, Denial(before=1.0))
    assert lasting(counting) == [pytest.approx(DAYS, abs=120)]


def test_what_is_denied_for_good_is_not_shortened_by_who_knows_less(denylist, counting):
    denylist.deny(held(expires_in=None).authentication)
    denylist.deny_token("t1", backend="jwt")
    assert lasting(counting) == [None]


# -- How many questions


def test_many_are_asked_about_in_one_round_trip(denylist, counting):
    denylist.deny_token("t1", backend="jwt")
    denylist.find([held()])
    counting.asked.clear()
    denylist.find([held(f"t{number}") for number in range(500)])
    assert len(counting.asked) == 1


def test_of_nobody_nothing_is_asked(denylist, counting):
    assert denylist.find([]) == []
    assert counting.asked == []


# -- A cache that fails


def test_cache_that_is_unavailable_is_reported(settings, denylist):
    settings.CACHES = cache(Away)
    for ask in (
        lambda: denylist.find([held()]),
        denylist.check_epoch,
        lambda: denylist.deny(held().authentication),
        lambda: denylist.deny_token("t1", backend="jwt"),
        lambda: denylist.deny_user(ADA, Denial(before=1.0)),
        lambda: denylist.deny_labels(SID, Denial(before=1.0), backend="jwt"),
    ):
        with pytest.raises(CacheUnavailable):
            ask()


@pytest.mark.parametrize("kind", [Deaf, DUMMY])
def test_cache_that_drops_what_it_is_given_denies_nothing_in_silence(kind, settings, denylist):
    settings.CACHES = cache(kind)
    for deny in (
        lambda: denylist.deny(held().authentication),
        lambda: denylist.deny_token("t1", backend="jwt"),
        lambda: denylist.deny_user(ADA, Denial(before=1.0)),
    ):
        with pytest.raises(CacheUnavailable):
            deny()


def test_cache_that_ignores_its_exceptions_is_unavailable_and_not_empty(settings, denylist):
    settings.CACHES = cache(Deaf)
    with pytest.raises(CacheUnavailable):
        denylist.find([held(issued_in=-HOUR)])


def test_site_without_a_cache_refuses_nobody(settings, denylist):
    settings.CACHES = cache(DUMMY)
    assert denylist.find([held(), held(issued_in=-HOUR)]) == [None, None]


# -- A cache that evicts


def test_memory_keeps_more_denials_than_a_locmem_cache_has_entries(denylist):
    for number in range(1000):
        denylist.deny_token(f"t{number}", backend="jwt")
        caches["default"].set(f"other-{number}", 1)
    asked = [held(f"t{number}") for number in range(1000)]
    assert denylist.find(asked) == [REVOKED] * 1000


@pytest.mark.asvs("14.2.7")
def test_memory_is_not_filled_by_denials_that_are_over(denylist, monkeypatch):
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    for number in range(5000):
        clock += DAYS / 100
        denylist.deny_token(f"t{number}", backend="jwt")
    with store.open_store("default") as entries:
        assert 0 < len(kept_by(entries, tuple)) <= 1000
