"""Tickets of Django's sessions: each opens a socket while its session exists, and not longer."""

from importlib import import_module

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import SESSION_KEY, get_user_model, login, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.http import HttpRequest
from django.test import Client

from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.backends.session import SessionBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.verification.authenticator import Authenticator

pytestmark = pytest.mark.database
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture
def ada(db):
    return get_user_model().objects.create_user("ada", password="first")


@pytest.fixture(params=ENGINES)
def engine(request, settings, tmp_path):
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "here"}
    }
    yield request.param
    caches["default"].clear()


def log_in(user):
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def authenticator(*backends):
    return Authenticator(backends, timeout=60)


def ticket_of(key):
    """A ticket as `ticket/` issues it to a page with this session."""
    at = authenticator(SessionBackend())
    return at.tickets.issue(at.authenticate_session(key), origin=None)


def redeem(ticket, *backends):
    credential = Credential(location=Location.TICKET, secret=Secret(ticket))
    return authenticator(*backends).authenticate_now(credential)


def request_with(key):
    request = HttpRequest()
    request.COOKIES["sessionid"] = key
    request.session = import_module(django_settings.SESSION_ENGINE).SessionStore(key)
    request.user = AnonymousUser()
    return request


def test_ticket_of_a_session_is_its_users_and_the_session_is_held(engine, ada):
    verdict = redeem(ticket_of(log_in(ada)), SessionBackend())
    assert isinstance(verdict, Identity)
    assert (verdict.user, verdict.authentication.location) == (ada, Location.TICKET)
    assert verdict.handle is not None


def test_redeeming_asks_for_sessions_and_users_once_a_batch(ada, django_assert_num_queries):
    tickets = [ticket_of(log_in(ada)) for _ in range(3)]
    credentials = [Credential(location=Location.TICKET, secret=Secret(each)) for each in tickets]
    at = authenticator(SessionBackend())
    with django_assert_num_queries(2):
        verdicts = at.chain.authenticate(credentials)
    assert [each.user for each in verdicts] == [ada] * 3


def flush(key, user):
    request_with(key).session.flush()


def log_in_as_another(key, user):
    login(request_with(key), get_user_model().objects.create_user("eve"), MODEL_BACKEND)


def change_password(key, user):
    user.set_password("second")
    user.save()


def change_own_password(key, user):
    request = request_with(key)
    change_password(key, user)
    request.user = user
    update_session_auth_hash(request, user)


def delete_user(key, user):
    user.delete()


def forget_the_user(key, user):
    session = request_with(key).session
    del session[SESSION_KEY]
    session.save()


@pytest.mark.parametrize("end", [change_password, change_own_password, delete_user])
def test_ticket_of_a_session_that_ended_with_its_user_is_refused(engine, ada, end):
    key = log_in(ada)
    ticket = ticket_of(key)
    end(key, ada)
    verdict = redeem(ticket, SessionBackend())
    assert isinstance(verdict, TokenAuthError)
    assert verdict.code in (CloseReason.TOKEN_REVOKED, CloseReason.TOKEN_EXPIRED)


@pytest.mark.parametrize("name", ENGINES[:-1])  # the last one's sessions are in cookies alone
@pytest.mark.parametrize("end", [flush, log_in_as_another, forget_the_user])
def test_ticket_of_a_session_that_ended_by_itself_is_refused(ada, settings, tmp_path, name, end):
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{name}"
    key = log_in(ada)
    ticket = ticket_of(key)
    end(key, ada)
    assert redeem(ticket, SessionBackend()).code is CloseReason.TOKEN_REVOKED


def test_route_without_the_session_backend_takes_no_sessions_ticket(ada):
    verdict = redeem(ticket_of(log_in(ada)), DRFTokenBackend())
    assert verdict.code is CloseReason.TOKEN_INVALID
    assert verdict.detail.slug == "ticket_of_another_backend"


def test_route_with_a_session_backend_of_other_options_takes_no_ticket_either(ada):
    verdict = redeem(ticket_of(log_in(ada)), SessionBackend(name="staff"))
    assert verdict.code is CloseReason.TOKEN_INVALID


def test_session_gets_a_ticket_where_only_another_route_takes_it(ada):
    at = authenticator(DRFTokenBackend())
    ticket = at.tickets.issue(at.authenticate_session(log_in(ada)), origin=None)
    assert redeem(ticket, SessionBackend()).user == ada


def test_denied_session_is_no_session_of_the_endpoints(ada):
    key, at = log_in(ada), authenticator(SessionBackend())
    at.denylist.deny(at.authenticate_session(key).authentication)
    assert at.authenticate_session(key).code is CloseReason.TOKEN_REVOKED
