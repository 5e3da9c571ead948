"""A backend whose tokens have the scopes that a function of the site's gives them."""

import threading

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.test import Client
from rest_framework import exceptions as drf

from channels_token_auth import Revocations
from channels_token_auth.backends.session import SessionBackend
from channels_token_auth.conf import BackendSpec
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from channels_token_auth.testing import FakeTokenBackend, fake_tokens
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.authenticator import Authenticator, build_backend
from channels_token_auth.verification.scoped import ScopedBackend
from tests.backends.checking import check

from .backends import FakeBackend, credential

FAKE = "channels_token_auth.testing.FakeTokenBackend"


def staff_may_write(user, authentication):
    """A site's function: what it names for a user, and what the token had."""
    return [*authentication.scopes, "write" if user.is_staff else "read"]


def build(scopes=f"{__name__}.staff_may_write"):
    return build_backend(BackendSpec(path=FAKE, options={"name": "own"}, scopes=scopes))


@pytest.fixture
def ada():
    return User(pk=7, username="ada", is_staff=True)


@pytest.fixture
def tokens(ada):
    with fake_tokens({"adas": ada}) as tokens:
        yield tokens


def verdict_of(backend, token="adas"):
    (verdict,) = Authenticator([backend], timeout=60).chain.authenticate([credential(token)])
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict


def test_the_function_says_what_scopes_a_token_has(tokens):
    verdict = verdict_of(build())
    assert verdict.authentication.scopes == {"write"}
    assert verdict.authentication.backend == "own"


def test_the_function_gets_the_tokens_own_scopes_and_replaces_them(tokens, ada):
    tokens.issue(ada, token="narrow", scopes=["chat"])
    assert verdict_of(build(), "narrow").authentication.scopes == {"chat", "write"}
    backend = ScopedBackend(FakeTokenBackend(), lambda user, authentication: ())
    assert verdict_of(backend, "narrow").authentication.scopes == frozenset()


def test_revalidation_has_the_scopes_of_now(tokens, ada):
    backend = build()
    before = verdict_of(backend)
    ada.is_staff = False
    (now,) = backend.revalidate([Grant(user_pk=7, authentication=before.authentication)])
    assert "read" in now.authentication.scopes


def test_the_function_is_given_a_whole_user_at_a_sweep_too(tokens):
    asked = []

    class Recorder(FakeTokenBackend):
        def revalidate(self, held):
            asked.extend(held)
            return super().revalidate(held)

    backend = ScopedBackend(Recorder(name="own"), staff_may_write)
    authentication = verdict_of(backend).authentication
    held = Grant(user_pk=7, authentication=authentication, needs_user=False)
    (verdict,) = backend.revalidate([held])
    assert verdict.authentication.scopes
    assert [each.needs_user for each in asked] == [True]


def test_a_ticket_has_the_scopes_that_the_function_gives_at_redemption(tokens, ada):
    authenticator = Authenticator([build()], timeout=60)
    (identity,) = authenticator.chain.authenticate([credential("adas")])
    ticket = authenticator.tickets.issue(identity, origin=None)
    ada.is_staff = False
    redeemed = Credential(location=Location.TICKET, secret=Secret(ticket))
    (verdict,) = authenticator.chain.authenticate([redeemed])
    assert "read" in verdict.authentication.scopes


@pytest.mark.parametrize(("refused", "code"), [("gone", "token_revoked"), ("no", "token_invalid")])
def test_the_function_is_not_asked_about_what_is_refused_or_unknown(tokens, refused, code):
    tokens.refuse("gone", "token_revoked")
    asked = []
    backend = ScopedBackend(FakeTokenBackend(), lambda *each: asked.append(each))
    assert (verdict_of(backend, refused), asked) == (code, [])


def fail(user, authentication):
    raise RuntimeError("the permission service is away")


@pytest.mark.parametrize(
    "scopes_of",
    [
        fail,
        lambda user, authentication: "read",
        lambda user, authentication: None,
        lambda user, authentication: [5],
        lambda user, authentication: [""],
    ],
    ids=["raises", "a text", "nothing", "a number", "an empty one"],
)
def test_a_function_that_fails_makes_its_tokens_unavailable_and_never_scopeless(tokens, scopes_of):
    assert verdict_of(ScopedBackend(FakeTokenBackend(), scopes_of)) is CloseReason.UNAVAILABLE


def test_a_function_that_fails_for_one_user_costs_the_others_nothing(tokens, ada):
    def picky(user, authentication):
        return {7: ["read"]}[user.pk]

    tokens.issue(User(pk=8, username="bob"), token="bobs")
    judge = Authenticator([ScopedBackend(FakeTokenBackend(), picky)], timeout=60).chain.authenticate
    good, bad = judge([credential("adas"), credential("bobs")])
    assert (good.user, bad.code) == (ada, CloseReason.UNAVAILABLE)


async def test_the_function_runs_in_the_librarys_thread(monkeypatch):
    monkeypatch.setattr(test_mode, "forced", False)
    threads = set()

    def note(user, authentication):
        threads.add(threading.current_thread().name)
        return []

    backend = FakeBackend("t0ken")
    await Authenticator([ScopedBackend(backend, note)], timeout=60).authenticate(credential())
    assert threads == backend.threads != {threading.current_thread().name}


def test_all_else_is_the_backends_own():
    backend = FakeBackend(name="own", claims=lambda token: token == "mine")
    scoped = ScopedBackend(backend, staff_may_write)
    assert (scoped.name, scoped.schemes, check(scoped)) == ("own", backend.schemes, [])
    assert scoped.revocations is backend.revocations is Revocations.ROWS
    assert (scoped.recognizes(credential("mine")), scoped.recognizes(credential())) == (True, False)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no.such.function", "No module named 'no'"),
        (f"{__name__}.no_such_function", "no_such_function"),
        (f"{__name__}.FAKE", "SCOPES"),
        ("", "module path"),
    ],
)
def test_a_path_that_leads_to_no_function_says_so(path, words):
    with pytest.raises(ImproperlyConfigured, match=words) as raised:
        build(scopes=path)
    assert FAKE in str(raised.value)


@pytest.mark.django_db
def test_a_ticket_got_by_session_has_the_scopes_of_the_session_backends_entry():
    user = User.objects.create_user("ada", is_staff=True)
    backend = ScopedBackend(SessionBackend(), staff_may_write)
    authenticator = Authenticator([backend], timeout=60)
    browser = Client()
    browser.force_login(user)
    identity = authenticator.authenticate_session(browser.session.session_key)
    ticket = authenticator.tickets.issue(identity, origin=None)
    redeemed = Credential(location=Location.TICKET, secret=Secret(ticket))
    (verdict,) = authenticator.chain.authenticate([redeemed])
    assert verdict.authentication.scopes == {"write"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionDenied(), CloseReason.FORBIDDEN),
        (drf.PermissionDenied(), CloseReason.FORBIDDEN),
        (User.DoesNotExist(), CloseReason.TOKEN_INVALID),
        (drf.AuthenticationFailed(), CloseReason.TOKEN_INVALID),
        (TokenAuthError(CloseReason.USER_INACTIVE), CloseReason.USER_INACTIVE),
    ],
)
def test_the_function_refuses_a_token_by_what_it_raises(tokens, ada, caplog, error, code):
    def refuse(user, authentication):
        raise error

    authentication = verdict_of(build()).authentication
    backend = ScopedBackend(FakeTokenBackend(name="own"), refuse)
    (held,) = backend.revalidate([Grant(user_pk=ada.pk, authentication=authentication)])
    assert [verdict_of(backend), held.code] == [code, code]
    assert caplog.records == []


async def asynchronous(user, authentication):
    return ["read"]


@pytest.mark.parametrize("function", [fail, asynchronous])
def test_the_log_names_a_function_that_fails(tokens, caplog, function):
    assert verdict_of(ScopedBackend(FakeTokenBackend(), function)) is CloseReason.UNAVAILABLE
    (record,) = caplog.records
    assert f"{__name__}.{function.__name__}" in record.getMessage()
