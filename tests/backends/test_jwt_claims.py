"""Claims of correctly signed JWTs: about time, use and owner."""

import math
import time
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.utils.functional import SimpleLazyObject
from rest_framework import exceptions as drf

from channels_token_auth import CloseReason, TokenAuthError
from channels_token_auth.backends.contract import Undecided
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.clock import clock
from tests.backends.checking import outcome
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, rsa_keys
from tests.backends.test_jwt import SECRET, presented, signed, user_of, verdict_on

NOW = 1_800_000_000
EXPIRED, INVALID = CloseReason.TOKEN_EXPIRED, CloseReason.TOKEN_INVALID
UNAVAILABLE = CloseReason.UNAVAILABLE


@pytest.fixture(autouse=True)
def calendar(monkeypatch):
    """Have it be `NOW`."""
    monkeypatch.setattr(clock, "calendar", lambda: float(NOW))


@pytest.fixture
def alice(db):
    return user_of("alice")


def claims_of(user, **changes):
    claims = {"sub": str(user.pk), "iat": NOW, "exp": NOW + 60} | changes
    return {name: value for name, value in claims.items() if value is not ...}


@pytest.fixture
def judge(alice):
    """The verdict on a token of alice's with these claims, by a backend with these options."""

    def judge(options=(), **changes):
        backend = JWTBackend(**({"algorithms": ["HS256"], "key": SECRET} | dict(options)))
        return verdict_on(backend, signed(claims_of(alice, **changes)))

    return judge


@pytest.mark.parametrize(
    ("exp", "code"),
    [
        (NOW, EXPIRED),
        (NOW - 0.1, EXPIRED),
        (-1, EXPIRED),
        (-(10**9), EXPIRED),
        (0.0, EXPIRED),
        *((wrong, INVALID) for wrong in (True, False, "1800000060", [NOW], {}, "soon")),
        *((wrong, INVALID) for wrong in (math.inf, -math.inf, math.nan)),
        *((wrong, INVALID) for wrong in (10**12, 10**400, 1e300, -(10**12))),
        (None, INVALID),
    ],
)
@pytest.mark.asvs("9.2.1")
def test_expiry_that_has_passed_or_is_no_date_is_refused(judge, exp, code):
    assert outcome(judge(exp=exp)) is code


@pytest.mark.parametrize("exp", [NOW + 0.25, NOW + 60, NOW + 60.75, 253_402_300_799])
def test_expiry_counts_to_the_decimal(judge, exp):
    moment = datetime.fromtimestamp(exp, UTC)
    assert judge(exp=exp).authentication.expires_at == moment


@pytest.mark.parametrize("name", ["iat", "nbf", "auth_time"])
@pytest.mark.parametrize("wrong", [True, "1", [1], math.nan, math.inf, 10**12, 10**400, -(10**12)])
def test_time_that_is_no_date_is_refused(judge, name, wrong):
    verdict = judge(**{name: wrong})
    assert (verdict.code, verdict.detail.slug) == (INVALID, "malformed_claim")


def test_leeway_that_leads_out_of_the_calendar_is_refused(judge):
    assert outcome(judge({"leeway": 10}, exp=253_402_300_799)) is INVALID


@pytest.mark.parametrize("name", ["iat", "nbf"])
@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (5.5, (UNAVAILABLE, 6)),
        (59, (UNAVAILABLE, 59)),
        (60, (UNAVAILABLE, 60)),
        (60.5, (INVALID, None)),
        (10**6, (INVALID, None)),
    ],
)
@pytest.mark.asvs("9.2.1")
def test_token_of_a_clock_that_is_ahead_waits_for_the_difference(judge, name, ahead, expected):
    verdict = judge(exp=NOW + 10**7, **{name: NOW + ahead})
    assert (verdict.code, verdict.retry_after) == expected
    assert verdict.detail.slug == "not_yet_valid"


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_token_of_a_clock_that_is_a_little_ahead_is_admitted(judge, alice, name):
    assert judge(**{name: NOW + 5}).user == alice


def test_larger_leeway_is_for_clocks_that_are_ahead_too(judge, alice):
    assert judge({"leeway": 90}, iat=NOW + 90).user == alice


@pytest.mark.database
@pytest.mark.parametrize("subject", ["１", " 1", "1 ", "0_1", "+1", "01", "1\n", 1.0, True, [1]])
def test_subject_that_reads_like_a_users_key_names_nobody(alice, judge, subject):
    get_user_model().objects.filter(pk=alice.pk).update(id=1)
    verdict = judge(sub=subject)
    assert (verdict.code, verdict.detail.slug) == (INVALID, "unknown_user")


@pytest.mark.database
def test_subject_may_be_a_number(alice, judge):
    assert judge(sub=alice.pk).user == alice


@pytest.mark.parametrize("cnf", [{"jkt": "thumb"}, {"x5t#S256": "thumb"}, {}, "thumb"])
@pytest.mark.asvs("10.3.5")
def test_token_that_is_bound_to_a_key_is_refused(judge, cnf):
    verdict = judge(cnf=cnf)
    assert (verdict.code, verdict.detail.slug) == (INVALID, "key_bound")


def test_token_that_is_bound_to_nothing_passes(judge, alice):
    assert judge(cnf=None).user == alice


@pytest.mark.parametrize(
    "claims",
    [
        *({name: "SUBJECT"} for name in ("client_id", "azp", "cid", "appid")),
        {"gty": "client-credentials"},
        {"gty": ["client_credentials"]},
        {"idtyp": "app"},
    ],
)
def test_token_of_a_client_itself_is_no_users(judge, alice, claims):
    claims = {name: str(alice.pk) if v == "SUBJECT" else v for name, v in claims.items()}
    verdict = judge(**claims)
    assert (verdict.code, verdict.detail.slug) == (CloseReason.FORBIDDEN, "machine_token")
    assert judge({"allow_machines": True}, **claims).user == alice


@pytest.mark.parametrize(("subject", "client"), [(int, str), (str, int), (int, int)])
def test_client_whose_id_is_a_number_is_no_user(judge, alice, subject, client):
    verdict = judge(sub=subject(alice.pk), client_id=client(alice.pk))
    assert (verdict.code, verdict.detail.slug) == (CloseReason.FORBIDDEN, "machine_token")


def test_token_that_a_client_got_for_a_user_is_the_users(judge, alice):
    assert judge(client_id="app", azp="app").user == alice


PROFILE = {"profile": "at+jwt", "issuer": "https://id", "audience": "chat"}
ACCESS = {"iss": "https://id", "aud": ["chat"], "client_id": "app", "jti": "a1"}


def profiled(alice, typ="at+jwt", **changes):
    backend = JWTBackend(algorithms=["HS256"], key=SECRET, **PROFILE)
    claims = claims_of(alice, **(ACCESS | changes))
    return verdict_on(backend, signed(claims, header={"typ": typ}))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_profile_accepts_access_tokens(alice, typ):
    assert profiled(alice, typ).user == alice


@pytest.mark.parametrize("typ", ["JWT", "", None, "logout+jwt", "at+jwt "])
@pytest.mark.asvs("9.2.2")
def test_profile_refuses_every_other_type(alice, typ):
    assert profiled(alice, typ).detail.slug == "wrong_type"


@pytest.mark.parametrize("name", ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"])
def test_profile_requires_what_the_standard_requires(alice, name):
    verdict = profiled(alice, **{name: ...})
    assert (verdict.code, verdict.detail.slug) == (INVALID, "missing_claim")


REQUIRED = {"token_use": "access", "client_id": ["web", "app"], "version": 1, "tenant": None}


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({}, None),
        ({"client_id": "web"}, None),
        ({"client_id": "mail"}, "wrong_type"),
        ({"client_id": ["app"]}, "wrong_type"),
        ({"token_use": "id"}, "wrong_type"),
        ({"version": True}, "wrong_type"),
        ({"tenant": ...}, "missing_claim"),
        ({"token_use": ...}, "missing_claim"),
    ],
)
@pytest.mark.asvs("10.3.4")
def test_claims_may_be_required_to_have_values(judge, alice, changes, slug):
    claims = {"token_use": "access", "client_id": "app", "version": 1, "tenant": "any"} | changes
    verdict = judge({"required_claims": REQUIRED}, **claims)
    assert verdict.user == alice if slug is None else verdict.detail.slug == slug


@pytest.mark.parametrize(
    ("claims", "labels"),
    [
        ({}, {}),
        ({"sid": "s1", "azp": "app"}, {"sid": "s1", "client_id": "app"}),
        ({"client_id": "web", "azp": "app"}, {"client_id": "web"}),
        ({"client_id": None, "azp": "app"}, {"client_id": "app"}),
        ({"tenant": 7, "team": "red"}, {"tenant": "7"}),
        ({"sid": ["s1"], "azp": True, "tenant": ""}, {}),
        ({"sid": "s\0", "tenant": 1.5}, {}),
    ],
)
def test_labels_are_the_session_the_client_and_what_the_site_names(judge, claims, labels):
    assert judge({"labels": ["tenant"]}, **claims).authentication.labels == labels


def test_how_and_when_the_user_logged_in_is_returned(judge):
    authentication = judge(acr="mfa", auth_time=NOW - 9, iss="https://id").authentication
    assert (authentication.acr, authentication.issuer) == ("mfa", "https://id")
    assert authentication.auth_time == datetime.fromtimestamp(NOW - 9, UTC)
    assert judge(acr=2).authentication.acr is None


OPTIONS = {"audience": "chat", "issuer": "https://id"}
GOOD = {"aud": "chat", "iss": "https://id"}


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"aud": "mail"}, "wrong_audience"),
        ({"aud": ...}, "missing_claim"),
        ({"iss": "https://id/"}, "wrong_issuer"),
        ({"exp": ...}, "missing_claim"),
        ({"exp": 1}, "expired"),
        ({"sub": "nobody"}, "unknown_user"),
    ],
)
def test_refusal_has_a_reason_for_developers(judge, changes, slug):
    detail = judge(OPTIONS, **(GOOD | changes)).detail
    assert detail.slug == slug
    assert detail.remedy.endswith(".")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"aud": "c4nary"}, "'chat'"), ({"iss": "c4nary"}, "'https://id'"), ({"aud": ...}, "'aud'")],
)
def test_refusal_names_what_the_site_expects_and_not_what_the_token_has(judge, changes, expected):
    remedy = judge(OPTIONS, **(GOOD | changes)).detail.remedy
    assert expected in remedy
    assert "c4nary" not in remedy


@pytest.mark.parametrize(
    ("options", "token", "slug"),
    [
        ({"key": SECRET[::-1]}, signed({"sub": "1"}), "bad_signature"),
        ({"algorithms": ["HS512"]}, signed({"sub": "1"}), "wrong_algorithm"),
        ({}, "not.a.jwt", "not_a_jwt"),
    ],
)
def test_token_that_is_left_to_the_next_backend_has_one_too(options, token, slug):
    backend = JWTBackend(**({"algorithms": ["HS256"], "key": SECRET} | options))
    assert verdict_on(backend, token).detail.slug == slug


ANSWERS = {}


def answer(claims):
    """Return or raise the current answer: a site's function for the option `user`."""
    given = ANSWERS["now"]
    if isinstance(given, BaseException):
        raise given
    return given() if callable(given) else given


@pytest.fixture
def answered(db, judge, monkeypatch):
    def judge_by(given, **changes):
        monkeypatch.setitem(ANSWERS, "now", given)
        return judge({"user": f"{__name__}.answer"}, **changes)

    return judge_by


def no_such_user():
    return get_user_model().objects.get(pk=0)


def test_lazy_user_is_loaded(alice, answered):
    verdict = answered(lambda: SimpleLazyObject(lambda: user_again(alice)))
    assert (verdict.user, type(verdict.user)) == (alice, get_user_model())


def user_again(user):
    return get_user_model().objects.get(pk=user.pk)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (None, INVALID),
        (AnonymousUser(), INVALID),
        (no_such_user, INVALID),
        (lambda: SimpleLazyObject(no_such_user), INVALID),
        (lambda: SimpleLazyObject(lambda: None), INVALID),
        (Http404(), INVALID),
        (drf.AuthenticationFailed(), INVALID),
        (drf.NotAuthenticated(), INVALID),
        (drf.AuthenticationFailed(code="user_inactive"), CloseReason.USER_INACTIVE),
        (PermissionDenied(), CloseReason.FORBIDDEN),
        (drf.PermissionDenied(), CloseReason.FORBIDDEN),
        (TokenAuthError(CloseReason.TOKEN_REVOKED), CloseReason.TOKEN_REVOKED),
    ],
)
def test_function_refuses_by_what_it_raises_or_returns(answered, caplog, given, code):
    verdict = answered(given)
    assert (verdict.code, verdict.detail.slug) == (code, "user_function_refused")
    assert caplog.records == []


async def asynchronous():
    return None


class OtherServiceError(Exception):
    """An error of another server's client: that server does not accept this site."""

    status_code = 401


@pytest.mark.parametrize(
    "given",
    [
        KeyError("tenant"),
        ValueError("Authorization: Bearer s3cret-token-0123456789"),
        lambda: (get_user_model()(), True),
        lambda: get_user_model()(username="never saved"),
        OtherServiceError(),
        lambda: 1,
        "alice",
        asynchronous,
        lambda: SimpleLazyObject(lambda: 7),
    ],
)
def test_function_that_fails_is_named_in_the_log(answered, caplog, given):
    verdict = answered(given)
    assert (verdict.code, verdict.detail.slug) == (UNAVAILABLE, "user_function_failed")
    (record,) = caplog.records
    assert f"{__name__}.answer" in record.getMessage()
    assert "s3cret" not in record.getMessage()


def test_function_whose_database_is_away_is_asked_again_by_the_library(answered):
    with pytest.raises(OperationalError):
        answered(OperationalError("connection refused"))


def test_one_claim_on_which_the_function_fails_costs_the_others_nothing(alice, monkeypatch):
    backend = JWTBackend(algorithms=["HS256"], key=SECRET, user=f"{__name__}.answer")
    answers = iter([ValueError(), alice])
    monkeypatch.setitem(ANSWERS, "now", None)
    monkeypatch.setattr(f"{__name__}.answer", lambda claims: raised(next(answers)))
    batch = [presented(signed(claims_of(alice))) for _ in range(2)]
    assert [outcome(each) for each in backend.authenticate(batch)] == [UNAVAILABLE, alice]


def raised(given):
    if isinstance(given, BaseException):
        raise given
    return given


@pytest.mark.asvs("10.3.3")
def test_issuers_whose_keys_have_the_same_id_are_distinguished(alice):
    """Each token is left to the backend of its own issuer, whatever its `kid` finds."""
    names = ("one", "other")

    def expected(backend, *of):
        return alice if {backend.name} == set(of) else None

    with (
        jwks_server({"keys": [jwk(rsa_keys("one")[1], kid="1")]}) as one,
        jwks_server({"keys": [jwk(rsa_keys("other")[1], kid="1")]}) as other,
    ):
        backends = [
            JWTBackend(algorithms=["RS256"], jwks_url=server.url, issuer=name, name=name)
            for server, name in zip((one, other), names, strict=True)
        ]
        for signer in names:
            for named in names:
                claims = claims_of(alice, iss=named)
                token = signed(claims, rsa_keys(signer)[0], "RS256", header={"kid": "1"})
                judged = [outcome(verdict_on(each, token)) for each in backends]
                assert judged == [expected(each, signer, named) for each in backends]


def test_token_of_another_issuer_costs_no_fetch(alice):
    with jwks_server({"keys": [jwk(rsa_keys()[1], kid="1")]}) as server:
        backend = JWTBackend(algorithms=["RS256"], jwks_url=server.url, issuer="https://id")
        claims = claims_of(alice, iss="https://other")
        token = signed(claims, rsa_keys()[0], "RS256", header={"kid": "2"})
        verdict = verdict_on(backend, token)
        assert (outcome(verdict), verdict.detail.slug) == (None, "wrong_issuer")
        assert server.asked == []


def remote(server, **options):
    return JWTBackend(algorithms=["RS256"], jwks_url=server.url, **options)


def by(name, alice, kid="1"):
    header = {} if kid is None else {"kid": kid}
    return signed(claims_of(alice), rsa_keys(name)[0], "RS256", header=header)


def test_known_key_does_not_wait_for_a_server_that_hangs(alice):
    with jwks_server({"keys": [jwk(rsa_keys("one")[1], kid="1")]}) as server:
        backend = remote(server, jwks_timeout=30)
        assert verdict_on(backend, by("one", alice)).user == alice
        server.is_open.clear()
        began = time.monotonic()
        batch = [presented(by("one", alice, kid)) for kid in ("2", "1", "3", "1")]
        verdicts = [outcome(each) for each in backend.authenticate(batch)]
        assert verdicts == [UNAVAILABLE, alice, UNAVAILABLE, alice]
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("kid", ["2", None])
def test_keys_that_change_during_a_verification_make_no_token_invalid(alice, kid, steady):
    published = {"keys": [jwk(rsa_keys("one")[1], kid="1")]}
    with jwks_server(published) as server:
        backend = remote(server)
        assert verdict_on(backend, by("one", alice)).user == alice
        server.document = {"keys": [jwk(rsa_keys("two")[1], kid="2")]}
        steady.now += 3
        early = verdict_on(backend, by("two", alice, kid))
        assert (early.code, early.retry_after) == (UNAVAILABLE, 7)
        steady.now += 7
        assert verdict_on(backend, by("two", alice, kid)).user == alice


@pytest.mark.parametrize("kid", ["7", None])
def test_key_that_nobody_publishes_is_called_so_after_a_fetch(alice, kid):
    with jwks_server({"keys": [jwk(rsa_keys("one")[1], kid="1")]}) as server:
        verdict = verdict_on(remote(server), by("two", alice, kid))
        slug = "bad_signature" if kid is None else "unknown_key"
        assert (outcome(verdict), verdict.detail.slug) == (None, slug)


def test_undecided_verdict_is_unavailable_to_whoever_does_not_wait(alice):
    with jwks_server({"keys": [jwk(rsa_keys("one")[1], kid="1")]}) as server:
        (verdict,) = remote(server).authenticate([presented(by("one", alice))])
        assert isinstance(verdict, Undecided)
        assert (verdict.code, verdict.retry_after) == (UNAVAILABLE, 1)
        assert not verdict.settled.cancel(), "or the fetch would fail for everybody"
        verdict.settled.result(60)
