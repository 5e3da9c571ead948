"""Django's sessions, as a cookie presents them."""

import hashlib
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    login,
)
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import OperationalError, connection
from django.http import Http404, HttpRequest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels_token_auth.backends import session
from channels_token_auth.backends.contract import RevokedTokens
from channels_token_auth.backends.session import SessionBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity
from tests.backends.checking import check
from tests.backends.own_users.models import Member
from tests.plugins.examples import times
from tests.services import free_port

ENGINES = "django.contrib.sessions.backends."
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
KEYS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=8, max_size=300)
AGE = timedelta(weeks=2)  # Django's own SESSION_COOKIE_AGE


class OnlyAda(ModelBackend):
    """An authentication backend that has its own idea of who may still come."""

    def get_user(self, user_id):
        return get_user_model().objects.filter(pk=user_id, username="ada").first()


class Answering(ModelBackend):
    """An authentication backend whose answer a test sets."""

    answer = None

    def get_user(self, user_id):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class NoGuests(ModelBackend):
    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and user.username != "guest"


class SessionStore(FileStore):
    """An engine of the site's own, which starts a session for whoever has none: see `load`."""

    created = 0

    def load(self):
        self.create()
        self.delete()
        return {}

    def create(self):
        type(self).created += 1


def presented(key, location=Location.COOKIE):
    return Credential(location=location, secret=Secret(key))


def log_in(user, backend=MODEL_BACKEND):
    """A client with a session of this user's, and the session's key."""
    client = Client()
    client.force_login(user, backend=backend)
    return client, client.cookies["sessionid"].value


def code_or_user(verdict):
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict and verdict.user


@pytest.fixture
def backend():
    return SessionBackend()


@pytest.fixture
def alice(db):
    return get_user_model().objects.create_user("alice")


@pytest.fixture
def key(alice):
    return log_in(alice)[1]


def use_engine(name, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(FileStore, "_storage_path", str(tmp_path), raising=False)
    settings.SESSION_ENGINE = ENGINES + name
    yield name
    caches["default"].clear()


@pytest.fixture(params=["db", "cached_db", "cache", "file"])
def engine(request, settings, tmp_path, monkeypatch):
    yield from use_engine(request.param, settings, tmp_path, monkeypatch)


@pytest.fixture(params=["db", "cached_db", "cache", "file", "signed_cookies"])
def any_engine(request, settings, tmp_path, monkeypatch):
    yield from use_engine(request.param, settings, tmp_path, monkeypatch)


@pytest.mark.database
def test_cookie_is_its_users_identity_whatever_engine_keeps_the_session(any_engine, backend, key):
    (verdict,) = backend.authenticate([presented(key)])
    assert isinstance(verdict, Identity)
    assert verdict.user.username == "alice"
    authentication = verdict.authentication
    assert (authentication.backend, authentication.location) == ("session", Location.COOKIE)
    assert authentication.token_id == hashlib.sha256(key.encode()).hexdigest()[:32]
    assert authentication.expires_at - datetime.now(UTC) == pytest.approx(
        AGE, abs=timedelta(seconds=30)
    )
    assert (authentication.issued_at, authentication.scopes) == (None, frozenset())


@pytest.mark.database
def test_unknown_key_is_unknown_and_leaves_nothing_behind(any_engine, backend, db, tmp_path):
    keys = ("0" * 32, ":" * 8, "0" * 300)  # the last is more than memcached takes
    assert backend.authenticate([presented(key) for key in keys]) == [None, None, None]
    assert not Session.objects.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.database
def test_session_of_nobody_is_unknown(any_engine, backend, db):
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session["basket"] = ["a book"]
    session.save()
    assert backend.authenticate([presented(session.session_key)]) == [None]


@pytest.mark.database
def test_session_that_was_logged_out_is_unknown(engine, backend, alice):
    client, key = log_in(alice)
    client.logout()
    assert backend.authenticate([presented(key)]) == [None]


class AnyKey(TestCase):
    @times(0.5)
    @given(keys=st.lists(KEYS, min_size=1, max_size=3))
    def test_key_of_any_text_is_unknown_without_an_exception(self, keys):
        for name in ("db", "cached_db", "cache", "file", "signed_cookies"):
            with self.settings(SESSION_ENGINE=ENGINES + name):
                verdicts = SessionBackend().authenticate([presented(key) for key in keys])
            assert verdicts == [None] * len(keys)


@pytest.mark.database
def test_cached_session_whose_row_is_gone_is_unknown(backend, alice, settings):
    settings.SESSION_ENGINE = f"{ENGINES}cached_db"
    _, key = log_in(alice)
    Session.objects.all().delete()
    assert backend.authenticate([presented(key)]) == [None]


def test_engine_of_ones_own_is_asked_and_may_not_write(backend, db, settings, tmp_path):
    settings.SESSION_ENGINE = __name__
    settings.SESSION_FILE_PATH = str(tmp_path)
    assert backend.authenticate([presented("0" * 32)]) == [None]
    assert SessionStore.created == 0


def test_expired_file_stays(backend, alice, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(FileStore, "_storage_path", str(tmp_path), raising=False)
    settings.SESSION_ENGINE = f"{ENGINES}file"
    _, key = log_in(alice)
    settings.SESSION_COOKIE_AGE = -1
    before = list(tmp_path.iterdir())
    assert backend.authenticate([presented(key)]) == [None]
    assert list(tmp_path.iterdir()) == before != []


def test_cache_that_is_away_raises_instead_of_refusing(backend, db, settings):
    settings.SESSION_ENGINE = f"{ENGINES}cache"
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{free_port()}",
        }
    }
    with pytest.raises(OperationalError):
        backend.authenticate([presented("0" * 32)])


@pytest.mark.database
def test_expired_session_is_refused_as_such_and_stays(backend, key):
    Session.objects.update(expire_date=datetime.now(UTC))
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.TOKEN_EXPIRED
    assert Session.objects.exists()


@pytest.mark.database
def test_expiry_is_the_rows(backend, alice, key):
    row = Session.objects.get()
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.authentication.expires_at == row.expire_date


def test_expiry_that_a_session_has_set_itself_counts_in_a_cache(backend, alice, settings):
    settings.SESSION_ENGINE = f"{ENGINES}cache"
    moment = datetime(2100, 1, 1, tzinfo=UTC)
    client, key = log_in(alice)
    session = client.session
    session.set_expiry(moment)
    session.save()
    (verdict,) = backend.authenticate([presented(key)])
    caches["default"].clear()
    assert verdict.authentication.expires_at == moment


@pytest.mark.database
def test_expiry_is_aware_where_the_sites_times_are_not(backend, key, settings):
    settings.USE_TZ = False
    settings.TIME_ZONE = "UTC"
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.authentication.expires_at > datetime.now(UTC)


def test_session_of_an_inactive_user_is_refused_as_such(any_engine, backend, alice):
    _, key = log_in(alice)
    get_user_model().objects.update(is_active=False)
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.USER_INACTIVE


@pytest.mark.asvs("7.4.3")
def test_session_from_before_a_change_of_password_is_revoked(any_engine, backend, alice):
    _, key = log_in(alice)
    alice.set_password("another")
    alice.save()
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_session_under_an_older_secret_key_stands_and_is_not_rewritten(
    any_engine, backend, alice, settings, django_assert_max_num_queries
):
    _, key = log_in(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a newer one"
    with django_assert_max_num_queries(2) as asked:
        (verdict,) = backend.authenticate([presented(key)])
    assert verdict.user == alice
    assert all(query["sql"].startswith("SELECT") for query in asked.captured_queries)


def test_session_under_a_secret_key_that_was_given_up_is_worth_nothing(
    any_engine, backend, alice, settings
):
    _, key = log_in(alice)
    settings.SECRET_KEY = "a newer one"
    (verdict,) = backend.authenticate([presented(key)])
    # A cache holds what no key has signed: but the hash of the password is signed.
    assert code_or_user(verdict) is (CloseReason.TOKEN_REVOKED if any_engine == "cache" else None)


def test_session_without_a_password_hash_is_revoked(backend, alice):
    client, key = log_in(alice)
    session = client.session
    del session["_auth_user_hash"]
    session.save()
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.TOKEN_REVOKED


def test_user_model_without_password_hash_is_not_asked_for_one(backend, alice, key, monkeypatch):
    monkeypatch.delattr("django.contrib.auth.base_user.AbstractBaseUser.get_session_auth_hash")
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.user == alice


@pytest.mark.parametrize("value", ["no.such.Backend", None, 7])
def test_session_by_an_authentication_backend_that_is_no_more_is_invalid(backend, alice, value):
    client, key = log_in(alice)
    session = client.session
    session[BACKEND_SESSION_KEY] = value
    session.save()
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.TOKEN_INVALID


def test_session_of_another_user_models_times_is_invalid(backend, alice, key, settings):
    settings.AUTH_USER_MODEL = "own_users.Member"  # its keys are UUIDs, and this one is a number
    (verdict,) = backend.authenticate([presented(key)])
    assert verdict.code is CloseReason.TOKEN_INVALID


@pytest.mark.database
def test_user_model_of_ones_own_is_asked(backend, db, settings):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="ada@example.com")
    _, key = log_in(member)
    (verdict,) = backend.authenticate([presented(key)])
    (again,) = backend.revalidate(
        [Grant(user_pk=verdict.user.pk, authentication=verdict.authentication)]
    )
    assert verdict.user == again.user == member


@pytest.mark.parametrize(("name", "expected"), [("ada", "ada"), ("bob", CloseReason.TOKEN_INVALID)])
def test_authentication_backend_that_finds_users_its_own_way_is_asked(
    backend, db, settings, name, expected
):
    path = f"{__name__}.OnlyAda"
    settings.AUTHENTICATION_BACKENDS = [MODEL_BACKEND, path]
    _, key = log_in(get_user_model().objects.create_user(name), backend=path)
    (verdict,) = backend.authenticate([presented(key)])
    assert getattr(code_or_user(verdict), "username", code_or_user(verdict)) == expected


@pytest.fixture
def answered(backend, alice, settings, monkeypatch):
    """The verdict on a session whose authentication backend answers so."""
    path = f"{__name__}.Answering"
    settings.AUTHENTICATION_BACKENDS = [MODEL_BACKEND, path]
    monkeypatch.setattr(Answering, "answer", alice)
    _, key = log_in(alice, backend=path)

    def judge(answer):
        monkeypatch.setattr(Answering, "answer", answer)
        return backend.authenticate([presented(key)])[0]

    return judge


@pytest.mark.parametrize(
    ("answer", "code", "slug"),
    [
        (None, CloseReason.TOKEN_INVALID, "unknown_user"),
        (PermissionDenied(), CloseReason.FORBIDDEN, "user_function_refused"),
        (Http404(), CloseReason.TOKEN_INVALID, "user_function_refused"),
        (RuntimeError(), CloseReason.UNAVAILABLE, "user_function_failed"),
        (("ada", True), CloseReason.UNAVAILABLE, "user_function_failed"),
    ],
)
def test_authentication_backend_refuses_by_what_it_raises(answered, caplog, answer, code, slug):
    verdict = answered(answer)
    assert (verdict.code, verdict.detail.slug) == (code, slug)
    assert [f"{__name__}.Answering" in each.getMessage() for each in caplog.records] == (
        [True] if code is CloseReason.UNAVAILABLE else []
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"username": "ada"}, "ada"),
        ({"username": "guest"}, CloseReason.TOKEN_INVALID),
        ({"username": "guest", "is_active": False}, CloseReason.USER_INACTIVE),
    ],
)
def test_user_who_may_no_longer_log_in_is_refused(backend, db, settings, fields, expected):
    path = f"{__name__}.NoGuests"
    settings.AUTHENTICATION_BACKENDS = [path]
    _, key = log_in(get_user_model().objects.create_user(**fields), backend=path)
    (verdict,) = backend.authenticate([presented(key)])
    assert getattr(code_or_user(verdict), "username", code_or_user(verdict)) == expected


@pytest.mark.parametrize("location", Location)
def test_only_cookies_are_claimed(backend, location):
    assert backend.recognizes(presented("0" * 32, location)) is (location is Location.COOKIE)


def test_key_that_django_finds_too_short_is_not_claimed_and_asks_nothing(backend):
    assert not backend.recognizes(presented("0" * 7))
    assert backend.recognizes(presented("0" * 8))


def test_no_header_is_its_own(backend):
    assert backend.schemes == frozenset()


@pytest.fixture
def held(backend):
    """Return a function for the grant of a socket that a cookie has opened."""

    def hold(key):
        (verdict,) = backend.authenticate([presented(key)])
        return Grant(
            user_pk=verdict.user.pk, authentication=verdict.authentication, handle=verdict.handle
        )

    return hold


def by_ticket(held):
    """Return the grant of a socket that a ticket of the same session has opened."""
    return replace(held, handle=None)


def change_password(user):
    user.set_password("another")
    user.save()


def log_in_as_somebody_else(key):
    session = import_module(django_settings.SESSION_ENGINE).SessionStore(key)
    mallory = get_user_model().objects.create_user("mallory")
    session[SESSION_KEY], session[HASH_SESSION_KEY] = (
        str(mallory.pk),
        mallory.get_session_auth_hash(),
    )
    session.save()


@pytest.mark.database
def test_revalidation_is_two_queries_with_verdicts_in_order(
    backend, held, db, django_assert_num_queries
):
    users = [get_user_model().objects.create_user(name) for name in "abcdef"]
    keys = [log_in(user)[1] for user in users]
    sockets = [held(key) for key in keys]
    get_user_model().objects.filter(username="b").update(is_active=False)
    get_user_model().objects.filter(username="c").delete()
    Session.objects.filter(session_key=keys[3]).update(expire_date=datetime.now(UTC))
    change_password(users[4])
    connection.cursor().execute("DELETE FROM django_session WHERE session_key = %s", [keys[5]])
    with django_assert_num_queries(2):
        verdicts = backend.revalidate(sockets)
    assert [code_or_user(verdict) for verdict in verdicts] == [
        users[0],
        CloseReason.USER_INACTIVE,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_REVOKED,
    ]
    assert verdicts[0].authentication == sockets[0].authentication
    assert verdicts[0].handle == sockets[0].handle


@pytest.mark.database
def test_session_that_somebody_else_has_taken_over_is_gone(backend, held, key):
    socket = held(key)
    log_in_as_somebody_else(key)
    assert code_or_user(*backend.revalidate([socket])) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_session_that_is_gone_is_seen_whatever_engine_kept_it(engine, backend, held, alice):
    client, key = log_in(alice)
    socket = held(key)
    assert code_or_user(*backend.revalidate([socket])) == alice
    client.session.delete(key)
    assert code_or_user(*backend.revalidate([socket])) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_session_that_is_used_extends_its_socket(backend, held, key):
    socket, later = held(key), datetime.now(UTC) + 2 * AGE
    Session.objects.update(expire_date=later)
    (verdict,) = backend.revalidate([socket])
    assert verdict.authentication == replace(socket.authentication, expires_at=later)


@pytest.mark.database
def test_of_a_socket_that_came_by_a_ticket_the_user_is_seen(
    backend, held, db, django_assert_num_queries
):
    users = [get_user_model().objects.create_user(name) for name in "abc"]
    sockets = [by_ticket(held(log_in(user)[1])) for user in users]
    get_user_model().objects.filter(username="b").update(is_active=False)
    get_user_model().objects.filter(username="c").delete()
    past = replace(sockets[0].authentication, expires_at=datetime.now(UTC))
    sockets.append(replace(sockets[0], authentication=past))
    with django_assert_num_queries(1):
        verdicts = [code_or_user(verdict) for verdict in backend.revalidate(sockets)]
    assert verdicts == [
        users[0],
        CloseReason.USER_INACTIVE,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
    ]


@pytest.mark.database
def test_sockets_that_came_both_ways_have_verdicts_in_order(backend, held, db):
    users = [get_user_model().objects.create_user(name) for name in "abc"]
    first, second, third = (held(log_in(user)[1]) for user in users)
    Session.objects.all().delete()
    asked = [by_ticket(first), second, by_ticket(third)]
    assert [code_or_user(verdict) for verdict in backend.revalidate(asked)] == [
        *(users[0], CloseReason.TOKEN_REVOKED, users[2])
    ]


def test_what_a_socket_keeps_shows_no_key(held, key):
    assert key not in repr(held(key)) + repr(held(key).handle)


def test_session_that_ends_is_left_to_the_denylist(backend, key, held):
    assert backend.revoke([held(key), held(key)]) == [False, False]
    assert Session.objects.exists()


@pytest.mark.database
def test_sessions_of_a_user_end_where_the_engine_has_a_table(engine, backend, alice):
    (_, kept), (_, gone) = log_in(alice), log_in(alice)
    _, other = log_in(get_user_model().objects.create_user("bob"))
    has_table = engine in ("db", "cached_db")
    token_id = Secret(kept).digest
    assert backend.revoke_user(alice.pk, except_token_id=token_id, issued_before=None) is has_table
    found = backend.authenticate([presented(key) for key in (kept, gone, other)])
    assert [isinstance(each, Identity) for each in found] == [True, not has_table, True]


@pytest.fixture
def announced(backend):
    """Collect what the backend's signals announce, in order."""
    said, heard = [], []
    for each in backend.announcements():
        heard.append((each, lambda _tokens=each.tokens, **kwargs: said.extend(_tokens(**kwargs))))
        each.signal.connect(heard[-1][1], sender=each.sender)
    yield said
    for each, hear in heard:
        each.signal.disconnect(hear, sender=each.sender)


def ended(user, key):
    return RevokedTokens(user_pk=user.pk, token_id=Secret(key).digest, is_denied=True)


@pytest.mark.database
def test_logout_is_announced_with_the_sessions_token_id(any_engine, alice, announced):
    client, key = log_in(alice)
    client.logout()
    assert set(announced) == {ended(alice, key)}


def delete_row(client, key):
    Session.objects.get(session_key=key).delete()


def delete_rows(client, key):
    Session.objects.all().delete()


def flush(client, key):
    client.session.flush()


def cycle(client, key):
    client.session.cycle_key()


@pytest.mark.database
@pytest.mark.parametrize("name", ["db", "cached_db"])
@pytest.mark.parametrize("end", [delete_row, delete_rows, flush, cycle])
def test_deletion_of_a_row_is_announced(alice, settings, request, name, end):
    settings.SESSION_ENGINE = ENGINES + name
    announced = request.getfixturevalue("announced")
    client, key = log_in(alice)
    end(client, key)
    assert announced == [replace(ended(alice, key), is_replaced=end is cycle)]


@pytest.mark.database
def test_session_that_ends_beside_one_that_is_renewed_is_not_replaced(alice, announced):
    (client, key), (_, other) = log_in(alice), log_in(alice)
    session = client.session
    session.cycle_key()
    Session.objects.get(session_key=other).delete()
    assert announced == [replace(ended(alice, key), is_replaced=True), ended(alice, other)]


@pytest.mark.database
def test_session_that_ends_right_after_a_login_is_not_replaced(alice, announced):
    _, first = log_in(alice)
    log_in(alice)
    Session.objects.get(session_key=first).delete()
    assert announced == [ended(alice, first)]


@pytest.mark.database
def test_deletion_of_what_has_expired_or_is_nobodys_is_not_announced(alice, announced):
    log_in(alice)
    Session.objects.update(expire_date=datetime.now(UTC))
    nobodys = import_module(django_settings.SESSION_ENGINE).SessionStore()
    nobodys.create()
    Session.objects.all().delete()
    call_command("clearsessions")
    assert announced == []


@pytest.mark.parametrize("name", ["cache", "file", "signed_cookies"])
def test_engine_without_a_table_announces_logins_and_logouts(backend, settings, name):
    settings.SESSION_ENGINE = ENGINES + name
    signals = [each.signal for each in backend.announcements()]
    assert signals == [user_logged_out, user_logged_in]


def log_in_again(key, user):
    """Log in as this user, in a browser that has a session already."""
    request = request_with(COOKIES={"sessionid": key} if key else {}, session=None)
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore(key)
    login(request, user, MODEL_BACKEND)


@pytest.mark.parametrize("name", ["cache", "file"])
def test_login_as_another_user_ends_the_browsers_session(alice, settings, tmp_path, request, name):
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = ENGINES + name
    announced = request.getfixturevalue("announced")
    _, key = log_in(alice)
    announced.clear()
    log_in_again(key, get_user_model().objects.create_user("eve"))
    assert announced == [RevokedTokens(user_pk=None, token_id=Secret(key).digest)]


def test_login_as_another_user_denies_the_cookie_that_is_the_session(alice, settings, request):
    settings.SESSION_ENGINE = f"{ENGINES}signed_cookies"
    announced = request.getfixturevalue("announced")
    _, key = log_in(alice)
    announced.clear()
    log_in_again(key, get_user_model().objects.create_user("eve"))
    assert announced == [ended(alice, key)]


@pytest.mark.parametrize("key", [None, "short"])
def test_login_without_a_session_before_ends_nothing(alice, settings, request, key):
    settings.SESSION_ENGINE = f"{ENGINES}cache"
    announced = request.getfixturevalue("announced")
    log_in_again(key, alice)
    assert announced == []


def test_login_of_the_same_user_keeps_the_session(alice, settings, request):
    settings.SESSION_ENGINE = f"{ENGINES}cache"
    announced = request.getfixturevalue("announced")
    _, key = log_in(alice)
    announced.clear()
    log_in_again(key, alice)
    assert announced == []


def request_with(**attributes):
    request = HttpRequest()
    vars(request).update(attributes)
    return request


@pytest.mark.parametrize("request_", [None, request_with()])
def test_logout_without_a_session_of_somebodys_ends_nothing(db, announced, request_):
    user_logged_out.send(sender=None, request=request_, user=None)
    assert announced == []


def test_logout_from_a_session_of_nobodys_ends_nothing(db, announced):
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session.create()
    user_logged_out.send(sender=None, request=request_with(session=session), user=None)
    assert announced == []


def test_logout_right_after_a_login_ends_nothing_since_no_cookie_was_given(db, announced):
    session = import_module(django_settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = "1"
    user_logged_out.send(sender=None, request=request_with(session=session), user=None)
    assert announced == []


@pytest.fixture
def well_set(settings):
    settings.CHANNELS_TOKEN_AUTH = {"LOCATIONS": ["cookie"], "COOKIE_NAME": "sessionid"}
    return settings


def ids(backend):
    return [message.id.removeprefix("channels_token_auth.") for message in check(backend)]


def test_good_settings_pass_the_check(backend, well_set, any_engine):
    assert ids(backend) == (["W141"] if any_engine == "signed_cookies" else [])


def test_tickets_alone_are_enough_for_sessions(backend, well_set):
    well_set.CHANNELS_TOKEN_AUTH = {**well_set.CHANNELS_TOKEN_AUTH, "LOCATIONS": ["ticket"]}
    assert ids(backend) == []


def test_locations_that_no_session_can_use_are_an_error(backend, well_set):
    well_set.CHANNELS_TOKEN_AUTH = {**well_set.CHANNELS_TOKEN_AUTH, "LOCATIONS": ["header"]}
    assert ids(backend) == ["E140"]


def test_hint_names_the_cookie(backend, well_set):
    well_set.SESSION_COOKIE_NAME = "__Host-sessionid"
    (error,) = check(backend)
    assert (error.id, "'__Host-sessionid'" in error.hint) == ("channels_token_auth.E141", True)


@pytest.mark.parametrize("value", ["None", None, False])
def test_cookie_that_rides_along_is_a_warning(backend, well_set, value):
    well_set.SESSION_COOKIE_SAMESITE = value
    assert ids(backend) == ["W140"]


@pytest.mark.parametrize("engine", ["no.such.engine", "os"])
def test_engine_that_is_none_is_an_error(backend, well_set, engine):
    well_set.SESSION_ENGINE = engine
    (error,) = check(backend)
    assert error.id == "channels_token_auth.E142"
    assert repr(engine) in error.msg


@pytest.mark.database
def test_table_that_is_missing_is_an_error():
    program = """
from django.conf import settings
settings.configure()
from channels_token_auth import Site
from channels_token_auth.backends.session import SessionBackend
site = Site(locations={"cookie"}, cookie_name="sessionid")
backend = SessionBackend()  # before the apps are loaded, too
import django
django.setup()
print([message.id for message in backend.check(site)])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "['channels_token_auth.E142']"


@pytest.mark.database
def test_revoking_a_user_reads_a_bounded_number_of_sessions(monkeypatch, backend, alice, caplog):
    monkeypatch.setattr(session, "MOST_SESSIONS", 2)
    keys = [log_in(alice)[1] for _ in range(3)]
    assert backend.revoke_user(alice.pk, except_token_id=None, issued_before=None) is False
    assert len(caplog.records) == 1
    assert Session.objects.filter(session_key__in=keys).count() == 1


@pytest.mark.parametrize(
    ("engine", "is_local"),
    [("db", True), ("signed_cookies", True), ("cache", False), ("cached_db", False)],
)
def test_sessions_in_a_cache_share_no_thread_with_rows(settings, engine, is_local):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    assert SessionBackend().is_local is is_local
