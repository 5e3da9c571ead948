"""Tokens of any kind, by the authentication classes of Django REST framework."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from knox.models import AuthToken
from oauth2_provider.contrib.rest_framework import OAuth2Authentication
from oauth2_provider.models import AccessToken as OAuth2Token
from oauth2_provider.models import Application
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from channels_token_auth.backends.rest_framework import RESTFrameworkBackend
from channels_token_auth.conf import BackendSpec
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification.binding import build_backend
from tests.backends.checking import check, outcome
from tests.backends.own_users.models import Member
from tests.plugins.examples import times

DRF = "rest_framework.authentication.TokenAuthentication"
KNOX = "knox.auth.TokenAuthentication"
JWT = "rest_framework_simplejwt.authentication.JWTAuthentication"
STATELESS = "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"
OAUTH2 = "oauth2_provider.contrib.rest_framework.OAuth2Authentication"
TOKENS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)


class Fixed(BaseAuthentication):
    """Knows each token, and answers what a test has set."""

    keyword = "Own"
    answer = None

    def authenticate(self, request):
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Named(Fixed):
    """Its scheme stands in its challenge alone."""

    keyword = None

    def authenticate_header(self, request):
        return f'Named realm="{request.get_host()}"'


class Nameless(Fixed):
    keyword = None


FIXED, NAMED, NAMELESS = (f"{__name__}.{name}" for name in ("Fixed", "Named", "Nameless"))


def presented(token, scheme=None, location=Location.HEADER):
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def backend_of(*paths):
    return RESTFrameworkBackend(authentication_classes=paths)


@pytest.fixture
def alice(db):
    return get_user_model().objects.create_user("alice")


@pytest.fixture
def key(alice):
    return Token.objects.create(user=alice).key


@pytest.fixture
def fixed(monkeypatch):
    """Sets what `Fixed` answers."""
    monkeypatch.setattr(Fixed, "requests", [], raising=False)
    return lambda answer: monkeypatch.setattr(Fixed, "answer", answer)


@pytest.fixture
def verdict_on(fixed):
    """The backend's verdict where a class answers so."""

    def judge(answer):
        fixed(answer)
        (verdict,) = backend_of(FIXED).authenticate([presented("t")])
        return verdict

    return judge


def test_token_without_claims_has_no_dates_and_no_scopes(alice, key):
    (verdict,) = backend_of(DRF).authenticate([presented(key)])
    authentication = verdict.authentication
    assert authentication.token_id == Secret(key).digest
    assert (authentication.issued_at, authentication.expires_at) == (None, None)
    assert authentication.scopes == frozenset()


def test_jwt_gives_its_claims(alice):
    token = AccessToken.for_user(alice)
    token["scope"] = "chat moderate"
    (verdict,) = backend_of(JWT).authenticate([presented(str(token))])
    authentication = verdict.authentication
    assert (verdict.user, authentication.token_id) == (alice, token["jti"])
    assert authentication.expires_at == datetime.fromtimestamp(token["exp"], UTC)
    assert authentication.issued_at == datetime.fromtimestamp(token["iat"], UTC)
    assert authentication.scopes == {"chat", "moderate"}


def test_token_of_knox_is_accepted(alice):
    _, token = AuthToken.objects.create(user=alice)
    (verdict,) = backend_of(KNOX).authenticate([presented(token)])
    assert verdict.user == alice


def test_token_of_oauth2_is_accepted(alice):
    application = Application.objects.create(
        client_type="confidential", authorization_grant_type="password"
    )
    OAuth2Token.objects.create(
        user=alice,
        token="opaque",
        application=application,
        scope="chat",
        expires=timezone.now() + timedelta(hours=1),
    )
    (verdict,) = backend_of(OAUTH2).authenticate([presented("opaque")])
    assert (verdict.user, verdict.authentication.scopes) == (alice, {"chat"})


def jwt_without_a_signature(user):
    return AccessToken.for_user(user).__str__().rpartition(".")[0] + "."


def expired_jwt(user):
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=-timedelta(hours=1))
    return str(token)


@pytest.mark.parametrize(
    "make",
    [
        jwt_without_a_signature,
        expired_jwt,
        lambda user: str(RefreshToken.for_user(user)),
        lambda user: f"x{AccessToken.for_user(user)}",
        lambda user: "unknown",
    ],
)
def test_token_that_its_class_refuses_is_invalid(alice, make):
    (verdict,) = backend_of(JWT).authenticate([presented(make(alice))])
    assert verdict.code is CloseReason.TOKEN_INVALID


class AnyToken(TestCase):
    @times(0.5)
    @given(token=TOKENS)
    def test_token_of_any_text_is_refused_without_an_exception(self, token):
        for path in (DRF, KNOX, JWT):
            (verdict,) = backend_of(path).authenticate([presented(token)])
            assert verdict.code is CloseReason.TOKEN_INVALID


def test_user_that_is_lazy_is_loaded(alice, verdict_on, django_assert_num_queries):
    lazy = SimpleLazyObject(lambda: get_user_model().objects.get(pk=alice.pk))
    verdict = verdict_on((lazy, {}))
    with django_assert_num_queries(0):
        assert type(verdict.user) is get_user_model()
        assert verdict.user.username == "alice"


def test_lazy_user_who_is_gone_makes_the_token_invalid(db, verdict_on):
    lazy = SimpleLazyObject(lambda: get_user_model().objects.get(pk=0))
    assert verdict_on((lazy, {})).code is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_key_of_nobody_is_invalid(db, verdict_on, user):
    assert verdict_on((user, "a key")).code is CloseReason.TOKEN_INVALID


def test_user_of_no_row_is_no_user_of_a_socket(alice, caplog):
    token = presented(str(AccessToken.for_user(alice)))
    (verdict,) = backend_of(STATELESS).authenticate([token])
    assert verdict.code is CloseReason.UNAVAILABLE
    assert STATELESS in caplog.text


def test_user_model_of_ones_own_passes(db, verdict_on, settings):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="ada@example.com")
    assert verdict_on((member, None)).user == member


def test_inactive_user_whom_a_class_lets_pass_is_refused_as_such(alice, verdict_on):
    alice.is_active = False
    assert verdict_on((alice, None)).code is CloseReason.USER_INACTIVE


class Away(exceptions.APIException):
    status_code = 503


@pytest.mark.parametrize(
    ("error", "code", "retry_after"),
    [
        (exceptions.AuthenticationFailed("no"), CloseReason.TOKEN_INVALID, None),
        (exceptions.AuthenticationFailed(code="user_inactive"), CloseReason.USER_INACTIVE, None),
        (
            exceptions.AuthenticationFailed({"code": "user_inactive"}),
            CloseReason.USER_INACTIVE,
            None,
        ),
        (exceptions.AuthenticationFailed(["no", "and no"]), CloseReason.TOKEN_INVALID, None),
        (exceptions.NotAuthenticated(), CloseReason.TOKEN_INVALID, None),
        (exceptions.PermissionDenied(), CloseReason.FORBIDDEN, None),
        (exceptions.Throttled(wait=1.5), CloseReason.RATE_LIMITED, 2),
        (exceptions.Throttled(), CloseReason.RATE_LIMITED, 5),
        (Away(), CloseReason.UNAVAILABLE, 5),
    ],
)
def test_exception_of_the_framework_has_its_code(verdict_on, error, code, retry_after):
    verdict = verdict_on(error)
    assert (verdict.code, verdict.retry_after) == (code, retry_after)


def test_any_other_exception_is_left_to_be_answered_as_unavailable(verdict_on):
    with pytest.raises(OperationalError):
        verdict_on(OperationalError())


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("t0ken-of-alice is not mine"),
        7,
        (SimpleNamespace(is_authenticated=True), None),
        (get_user_model()(username="never saved"), None),
    ],
)
def test_class_that_fails_is_named_in_the_log(db, fixed, caplog, answer):
    fixed(answer)
    (verdict,) = backend_of(FIXED).authenticate([presented("t0ken-of-alice", "own")])
    assert (verdict.code, verdict.detail.slug) == (CloseReason.UNAVAILABLE, "user_function_failed")
    (record,) = caplog.records
    assert FIXED in record.getMessage()
    assert "t0ken-of-alice" not in record.getMessage()


def test_token_that_no_class_knows_is_unknown(verdict_on):
    assert verdict_on(None) is None


@pytest.mark.parametrize(
    ("auth", "expires_at"),
    [
        ({"exp": 4102444800}, datetime(2100, 1, 1, tzinfo=UTC)),
        (SimpleNamespace(exp=4102444800.5), datetime(2100, 1, 1, microsecond=500_000, tzinfo=UTC)),
        ({"exp": "soon"}, None),
        ({"exp": 10**20}, None),
        ({"exp": 10**400}, None),
        ({"exp": float("nan")}, None),
        ({"exp": True}, None),
        ({"exp": "4102444800"}, None),
        ("exp", None),
        (["exp"], None),
        (None, None),
    ],
)
def test_expiry_is_read_of_whatever_a_class_gives(alice, verdict_on, auth, expires_at):
    assert verdict_on((alice, auth)).authentication.expires_at == expires_at


def test_token_that_has_expired_or_is_bound_to_a_key_is_refused(alice, verdict_on):
    assert verdict_on((alice, {"exp": 1})).code is CloseReason.TOKEN_EXPIRED
    bound = verdict_on((alice, {"cnf": {"jkt": "thumb"}}))
    assert (bound.code, bound.detail.slug) == (CloseReason.TOKEN_INVALID, "key_bound")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionDenied(), CloseReason.FORBIDDEN),
        (Http404(), CloseReason.TOKEN_INVALID),
        (get_user_model().DoesNotExist(), CloseReason.TOKEN_INVALID),
    ],
)
def test_exception_of_django_that_refuses_over_http_refuses_here(verdict_on, error, code):
    assert verdict_on(error).code is code


@pytest.mark.parametrize("jti", [None, 7, ""])
def test_token_id_is_the_digest_where_there_is_no_jti(alice, verdict_on, jti):
    verdict = verdict_on((alice, {"jti": jti, "scope": ["chat"]}))
    assert verdict.authentication.token_id == Secret("t").digest
    assert verdict.authentication.scopes == frozenset()


@pytest.mark.parametrize(
    ("path", "expected"),
    [(FIXED, "Own \u00c4"), (NAMED, "Named \u00c4"), (NAMELESS, "Bearer \u00c4")],
)
def test_class_is_shown_the_scheme_that_it_announces(fixed, path, expected):
    fixed(None)
    backend_of(path).authenticate([presented("\u00c4")])
    (request,) = Fixed.requests
    assert request.headers["Authorization"].encode("latin-1") == expected.encode()


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        (["*"], "http://localhost"),
        (["*", ".example.com"], "http://example.com"),
        (["a.example", "b.example"], "http://a.example"),
    ],
)
def test_class_is_shown_a_get_request_to_an_allowed_host(fixed, settings, allowed, url):
    settings.ALLOWED_HOSTS = allowed
    fixed(None)
    backend_of(FIXED).authenticate([presented("t")])
    (request,) = Fixed.requests
    assert (request.method, request.build_absolute_uri()) == ("GET", url)


def test_scheme_is_spelled_as_the_class_spells_it(alice):
    token = presented(str(AccessToken.for_user(alice)), scheme="bearer")
    (verdict,) = backend_of(JWT).authenticate([token])
    assert verdict.user == alice


class OwnOAuth(OAuth2Authentication):
    """A site's class, derived from that of the package."""


@pytest.mark.parametrize(
    ("paths", "is_delegated"),
    [
        ([OAUTH2], True),
        ([DRF, f"{__name__}.OwnOAuth"], True),
        ([DRF, KNOX, JWT, STATELESS, FIXED], False),
    ],
)
def test_tokens_of_oauth_are_delegated(paths, is_delegated):
    assert backend_of(*paths).is_delegated is is_delegated


@pytest.mark.parametrize("is_delegated", [True, False])
def test_entry_decides_whether_tokens_are_delegated(is_delegated):
    spec = BackendSpec(
        path="channels_token_auth.backends.rest_framework.RESTFrameworkBackend",
        options={"authentication_classes": [OAUTH2]},
        delegated=is_delegated,
    )
    assert build_backend(spec).is_delegated is is_delegated


def test_schemes_are_those_of_the_classes():
    assert backend_of(DRF, JWT, FIXED).schemes == {"token", "bearer", "own"}


@pytest.mark.parametrize(("scheme", "is_claimed"), [("own", True), ("token", False), (None, True)])
def test_scheme_that_no_class_announces_is_not_claimed(scheme, is_claimed):
    assert backend_of(FIXED).recognizes(presented("t", scheme=scheme)) is is_claimed


def test_scheme_chooses_among_the_classes(alice, key, fixed):
    fixed((AnonymousUser(), None))
    backend = backend_of(FIXED, DRF)
    verdicts = backend.authenticate([presented(key, "token"), presented(key, "own")])
    assert [outcome(verdict) for verdict in verdicts] == [alice, CloseReason.TOKEN_INVALID]


def test_first_class_of_a_scheme_decides_as_in_a_view(alice, fixed):
    token = str(AccessToken.for_user(alice))
    fixed(exceptions.AuthenticationFailed())
    (verdict,) = backend_of(NAMELESS, JWT).authenticate([presented(token)])
    assert verdict.code is CloseReason.TOKEN_INVALID


def test_token_that_nests_too_deeply_for_a_class_is_invalid(verdict_on):
    assert verdict_on(RecursionError()).code is CloseReason.TOKEN_INVALID


def test_second_class_of_a_scheme_is_asked_what_the_first_does_not_know(alice, fixed):
    token = str(AccessToken.for_user(alice))
    fixed(None)
    (verdict,) = backend_of(NAMELESS, JWT).authenticate([presented(token)])
    assert verdict.user == alice


@pytest.mark.parametrize("order", [(DRF, JWT), (JWT, DRF)])
def test_token_without_a_scheme_is_any_classs(alice, key, order):
    batch = [presented(key), presented(str(AccessToken.for_user(alice))), presented("neither")]
    verdicts = backend_of(*order).authenticate(batch)
    assert [outcome(verdict) for verdict in verdicts] == [
        alice,
        alice,
        CloseReason.TOKEN_INVALID,
    ]


@pytest.mark.parametrize("path", [FIXED, NAMED])
def test_class_that_is_away_counts_more_than_one_that_refuses(db, fixed, path):
    fixed(Away())
    (verdict,) = backend_of(path, DRF, JWT).authenticate([presented("t")])
    assert verdict.code is CloseReason.UNAVAILABLE


def holding(*verdicts):
    """Return the grants of sockets with these identities."""
    return [
        Grant(user_pk=each.user.pk, authentication=each.authentication, handle=each.handle)
        for each in verdicts
    ]


@pytest.fixture
def users(db):
    return [get_user_model().objects.create_user(name) for name in "abcd"]


@pytest.fixture
def tokens(users):
    return [presented(Token.objects.create(user=user).key) for user in users]


def test_revalidation_asks_the_class_again(users, tokens):
    sockets = holding(*backend_of(DRF).authenticate(tokens))
    get_user_model().objects.filter(username="b").update(is_active=False)
    get_user_model().objects.filter(username="c").delete()
    Token.objects.get(user=users[3]).delete()
    verdicts = backend_of(DRF).revalidate(sockets)
    assert [outcome(verdict) for verdict in verdicts] == [
        users[0],
        CloseReason.TOKEN_REVOKED,  # this class does not say why
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_REVOKED,
    ]
    assert verdicts[0].authentication == sockets[0].authentication
    assert verdicts[0].handle == sockets[0].handle


@pytest.mark.parametrize("way", ["by a ticket", "revalidate off"])
def test_revalidation_without_a_token_is_one_query_about_the_users(
    way, users, tokens, django_assert_num_queries
):
    is_off = way == "revalidate off"
    backend = RESTFrameworkBackend(authentication_classes=[DRF], revalidate=not is_off)
    sockets = holding(*backend.authenticate(tokens))
    if not is_off:
        sockets = [replace(socket, handle=None) for socket in sockets]
    get_user_model().objects.filter(username="b").update(is_active=False)
    get_user_model().objects.filter(username="c").delete()
    Token.objects.get(user=users[3]).delete()
    with django_assert_num_queries(1):
        verdicts = backend_of(DRF).revalidate(sockets)
    assert [outcome(verdict) for verdict in verdicts] == [
        users[0],
        CloseReason.USER_INACTIVE,
        CloseReason.TOKEN_REVOKED,
        users[3],
    ]
    assert verdicts[0].authentication == sockets[0].authentication


def test_revalidation_presents_the_token_as_the_client_did(alice, fixed):
    fixed((alice, None))
    backend = backend_of(NAMED, FIXED)
    (verdict,) = backend.authenticate([presented("t", scheme="named")])
    backend.revalidate(holding(verdict))
    schemes = [request.headers["Authorization"] for request in Fixed.requests]
    assert schemes == ["Named t", "Named t"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (exceptions.AuthenticationFailed(), CloseReason.TOKEN_REVOKED),
        (None, CloseReason.TOKEN_REVOKED),
        (exceptions.Throttled(wait=7), CloseReason.UNAVAILABLE),
        (exceptions.APIException(), CloseReason.UNAVAILABLE),
        (exceptions.PermissionDenied(), CloseReason.FORBIDDEN),
    ],
)
def test_answer_to_what_was_good_once(alice, fixed, answer, code):
    fixed((alice, None))
    backend = backend_of(FIXED)
    sockets = holding(*backend.authenticate([presented("t")]))
    fixed(answer)
    assert [outcome(verdict) for verdict in backend.revalidate(sockets)] == [code]


def test_what_cannot_be_ended_here_is_left_to_the_denylist(alice, key):
    backend = backend_of(DRF)
    (verdict,) = backend.authenticate([presented(key)])
    held = Grant(user_pk=alice.pk, authentication=verdict.authentication)
    assert backend.revoke([held, held]) == [False, False]
    assert backend.revoke_user(alice.pk, except_token_id=None, issued_before=None) is False
    assert backend.announcements() == []
    assert Token.objects.exists()


@pytest.fixture
def aged(settings):
    settings.CHANNELS_TOKEN_AUTH = {"MAX_CONNECTION_AGE": 3600}


def ids(backend):
    return [message.id.removeprefix("channels_token_auth.") for message in check(backend)]


def test_classes_that_read_tokens_pass_the_check(aged):
    assert ids(backend_of(DRF, KNOX, JWT, OAUTH2, FIXED)) == []


def test_sockets_without_an_age_are_a_warning():
    assert ids(backend_of(DRF)) == []
    unasked = RESTFrameworkBackend(authentication_classes=[DRF], revalidate=False)
    assert ids(unasked) == ["W150"]


@pytest.mark.parametrize("paths", [[], (), DRF, None, {DRF: 1}])
def test_no_list_of_classes_is_an_error(aged, paths):
    assert ids(RESTFrameworkBackend(authentication_classes=paths)) == ["E150"]


@pytest.mark.parametrize(
    "path", ["no.such.Class", "nowhere", "os.path", "os.sep", 7, TokenAuthentication]
)
def test_class_that_cannot_be_used_is_an_error_and_the_next_is_still_checked(aged, path):
    first, second = check(backend_of(path, "no.other.Class"))
    assert first.id == second.id == "channels_token_auth.E151"
    assert repr(path) in first.msg


@pytest.mark.parametrize(
    "name", ["BasicAuthentication", "RemoteUserAuthentication", "SessionAuthentication"]
)
def test_class_that_reads_no_token_is_an_error(aged, name):
    (error,) = check(backend_of(f"rest_framework.authentication.{name}"))
    assert error.id == "channels_token_auth.E152"
    assert name in error.msg


def test_backend_is_built_before_the_apps_are_loaded():
    program = """
from django.conf import settings
settings.configure()
from channels_token_auth.backends.rest_framework import RESTFrameworkBackend
from channels_token_auth.conf import BackendSpec
from tests.backends.checking import check, outcome
print(RESTFrameworkBackend(authentication_classes=["a.b"]).name)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "rest_framework"
