"""Django sessions that came from a login at the provider end with it."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import caches
from django.test import Client, RequestFactory

from channels_token_auth import remember_login
from channels_token_auth.verification.denylist import CacheUnavailable, Denylist
from tests.providers.signing import ISSUER, form, logout_claims, now, signed
from tests.tenants.fakes import FakeTenants
from tests.verification.odd_caches import Away, Remote, cache

pytestmark = pytest.mark.database
PATH = "/auth/backchannel-logout/"


def logged_in(user, **claims):
    """A browser with a session that came from a login at the provider."""
    browser = Client()
    browser.force_login(user)
    request = RequestFactory().get("/")
    request.session, request.user = browser.session, user
    remember_login(request, {"iss": ISSUER, "sub": "x"} | claims)
    return browser


def is_logged_in(browser):
    key = browser.cookies["sessionid"].value
    return SessionStore(key).exists(key)


def test_session_ends_with_its_login_and_another_stays(provider, ada):
    ended, other = logged_in(ada, sid="s1"), logged_in(ada, sid="s2")
    provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert (is_logged_in(ended), is_logged_in(other)) == (False, True)


def test_all_sessions_of_the_provider_end_if_the_logout_names_the_user_only(provider, ada, bob):
    ended, other, own = logged_in(ada, sid="s1"), logged_in(bob, sid="s2"), Client()
    own.force_login(ada)
    provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid=...))))
    assert [is_logged_in(each) for each in (ended, other, own)] == [False, True, True]


def test_session_id_of_another_user_ends_nothing(provider, ada, bob):
    browser = logged_in(bob, sid="s1")
    provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert is_logged_in(browser)


def test_session_ends_although_its_tokens_cannot_be_denied(
    provider, ada, monkeypatch, transactional_db
):
    def fail(*_, **__):
        raise CacheUnavailable

    browser = logged_in(ada, sid="s1")
    monkeypatch.setattr(Denylist, "deny_labels", fail)
    request = form(signed(logout_claims(sub=str(ada.pk), sid="s1")))
    assert provider.post(PATH, **request).status_code == 503  # so that the provider tries again
    assert not is_logged_in(browser)


def test_late_logout_of_the_user_leaves_a_later_login(provider, ada):
    browser = logged_in(ada, sid="s1")
    claims = logout_claims(sub=str(ada.pk), sid=..., iat=now() - 600)
    provider.post(PATH, **form(signed(claims)))
    assert is_logged_in(browser)


@pytest.mark.asvs("14.2.2")
def test_key_of_the_session_is_not_stored_in_clear(site, ada):
    site.CACHES = cache(Remote)
    browser = logged_in(ada, sid="s1")
    stored = repr(caches["default"].contents)
    assert "login" in stored
    assert browser.cookies["sessionid"].value not in stored


@pytest.mark.parametrize("claims", [{}, {"iss": ISSUER}])
def test_request_without_a_session_is_left_alone(rf, claims):
    request = rf.get("/")
    request.user = AnonymousUser()
    remember_login(request, claims)


def test_login_succeeds_while_the_cache_is_unavailable(site, ada, caplog):
    site.CACHES = cache(Away)
    assert is_logged_in(logged_in(ada, sid="s1"))
    levels = [each.levelname for each in caplog.records if each.name == "channels_token_auth"]
    assert "ERROR" in levels


def test_more_logins_than_are_remembered_still_end_the_latest(provider, ada):
    for _ in range(20):
        logged_in(ada, sid="s1")
    latest = logged_in(ada, sid="s1")
    provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert not is_logged_in(latest)


class OneTenant(FakeTenants):
    """Every request is of the tenant that `tenant` names."""

    tenant = "acme"

    def current(self):
        return self.tenant


def test_user_1_of_another_tenant_stays_logged_in(provider, ada, site, monkeypatch):
    site.CHANNELS_TOKEN_AUTH = site.CHANNELS_TOKEN_AUTH | {
        "TENANTS": "tests.providers.test_logins.OneTenant"
    }
    browser = logged_in(ada, sid="s1")
    monkeypatch.setattr(OneTenant, "tenant", "globex")
    for claims in (logout_claims(sub=str(ada.pk), sid=...), logout_claims(sub=..., sid="s1")):
        assert provider.post(PATH, **form(signed(claims))).status_code == 200
    assert is_logged_in(browser)
    monkeypatch.setattr(OneTenant, "tenant", "acme")
    provider.post(PATH, **form(signed(logout_claims(sub=str(ada.pk), sid="s1"))))
    assert not is_logged_in(browser)
