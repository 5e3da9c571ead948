"""Tokens that another authorization server is asked about, over real HTTP."""

import base64
import hashlib
import json
import logging
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.backends.introspection import IntrospectionBackend
from channels_token_auth.backends.sources.claimed_users import ClaimedUsers
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.observability.events import OutageBegan, OutageEnded
from tests.backends.checking import check, outcome
from tests.backends.introspection_server import introspection_server
from tests.backends.own_users.models import Member

HOUR = 3600
CLAIMS = st.dictionaries(
    st.sampled_from(["exp", "iat", "jti", "scope", "aud", "iss", "typ", "token_type", "token_use"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=3,
    ),
)


@pytest.fixture
def server():
    with introspection_server() as running:
        yield running


@pytest.fixture
def backend(server):
    return backend_at(server)


@pytest.fixture
def alice(db, server):
    server.claims["good"] = active()
    return get_user_model().objects.create(username="alice")


def backend_at(server, **options):
    given = {"url": server.url, "client_id": "site", "client_secret": "s3cret", "audience": None}
    by_name = {} if "user_claim" in options else {"user_claim": "username", "user_field": None}
    return IntrospectionBackend(**(given | by_name | options))


def active(**claims):
    return {"active": True, "username": "alice"} | claims


def in_seconds(seconds):
    return int(time.time()) + seconds


def presented(token="good", location=Location.HEADER):
    return Credential(location=location, secret=Secret(token))


def verdict_on(backend, token="good"):
    (verdict,) = backend.authenticate([presented(token)])
    return outcome(verdict)


def test_answer_gives_the_scopes_and_the_dates(backend, server, alice):
    expires = in_seconds(HOUR)
    server.claims["good"] = active(scope="read write", exp=expires, iat=expires - 2 * HOUR)
    (verdict,) = backend.authenticate([presented("good")])
    authentication = verdict.authentication
    assert authentication.token_id == hashlib.sha256(b"good").hexdigest()[:32]
    assert authentication.scopes == {"read", "write"}
    assert authentication.expires_at == datetime.fromtimestamp(expires, UTC)
    assert authentication.issued_at == datetime.fromtimestamp(expires - 2 * HOUR, UTC)


def test_token_is_posted_as_a_form_with_our_own_credentials(server, alice):
    backend = backend_at(server, client_id="a:b", client_secret="c d")
    verdict_on(backend)
    ((headers, form),) = server.requests
    assert form == {"token": ["good"], "token_type_hint": ["access_token"]}
    assert headers["Authorization"] == f"Basic {base64.b64encode(b'a%3Ab:c+d').decode()}"


def test_bearer_token_of_ours_takes_the_place_of_a_client(server, alice):
    # RFC 6750 has no apostrophe in a token, but a header can carry it.
    backend = backend_at(server, client_id=None, client_secret=None, bearer_token="o'urs")
    assert verdict_on(backend) == alice
    assert server.requests[0][0]["Authorization"] == "Bearer o'urs"


def test_jti_is_the_token_id_where_it_is_fit_for_one(backend, server, alice):
    for number, jti in enumerate(["7f", "", 7, "with space", "x" * 129]):
        server.claims[str(number)] = active(jti=jti)
    verdicts = backend.authenticate([presented(str(number)) for number in range(5)])
    ids = [verdict.authentication.token_id for verdict in verdicts]
    assert ids == ["7f", *(Secret(str(number)).digest for number in range(1, 5))]


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"active": False}, CloseReason.TOKEN_INVALID),
        ({"active": False, "username": "alice"}, CloseReason.TOKEN_INVALID),
        (active(exp=1), CloseReason.TOKEN_EXPIRED),
        (active(exp="soon"), CloseReason.TOKEN_INVALID),
        (active(exp=10**30), CloseReason.TOKEN_INVALID),
        (active(username="nobody"), CloseReason.TOKEN_INVALID),
        (active(username="\0"), CloseReason.TOKEN_INVALID),
        (active(username=True), CloseReason.TOKEN_INVALID),
        (active(username=["alice"]), CloseReason.TOKEN_INVALID),
        ({"active": True}, CloseReason.TOKEN_INVALID),
        (active(token_type="refresh_token"), CloseReason.TOKEN_INVALID),
        (active(token_type="DPoP"), CloseReason.TOKEN_INVALID),
        (active(token_type=[]), CloseReason.TOKEN_INVALID),
        (active(typ="Refresh"), CloseReason.TOKEN_INVALID),
        (active(token_use="refresh_token"), CloseReason.TOKEN_INVALID),
        (active(cnf={"jkt": "thumb"}), CloseReason.TOKEN_INVALID),
    ],
)
def test_token_that_may_not_pass_is_refused(backend, server, alice, claims, code):
    server.claims["good"] = claims
    assert verdict_on(backend) is code


@pytest.mark.parametrize("claims", [{}, {"token_type": "Bearer"}, {"token_type": "access_token"}])
def test_access_token_is_known_by_its_type_or_has_none(backend, server, alice, claims):
    server.claims["good"] = active(typ="Bearer", token_use="access_token", **claims)
    assert verdict_on(backend) == alice


@pytest.mark.parametrize(
    ("claims", "is_accepted"),
    [
        ({"aud": "ws", "iss": "https://as.example"}, True),
        ({"aud": ["api", "ws"], "iss": "https://as.example"}, True),
        ({"aud": "api", "iss": "https://as.example"}, False),
        ({"aud": "wss", "iss": "https://as.example"}, False),
        ({"aud": "ws", "iss": "https://as.example/"}, False),
        ({"aud": "ws"}, False),
        ({"iss": "https://as.example"}, False),
    ],
)
@pytest.mark.asvs("10.3.1")
def test_audience_and_issuer_count_where_they_are_set(server, alice, claims, is_accepted):
    server.claims["good"] = active(**claims)
    backend = backend_at(server, audience="ws", issuer="https://as.example")
    assert verdict_on(backend) == (alice if is_accepted else CloseReason.TOKEN_INVALID)


@pytest.mark.parametrize("subject", ["alice", 10**30, "10" * 20])
def test_subject_that_the_column_cannot_hold_names_nobody(server, alice, subject):
    server.claims["good"] = active(sub=subject)
    backend = backend_at(server, user_claim="sub", user_field="pk")
    assert verdict_on(backend) is CloseReason.TOKEN_INVALID


def test_user_is_found_by_the_subject_unless_another_claim_is_named(server, alice):
    server.claims["good"] = {"active": True, "sub": str(alice.pk), "username": "bob"}
    backend = IntrospectionBackend(url=server.url, bearer_token="ours")
    assert verdict_on(backend) == alice


def test_later_expiry_is_what_the_sweep_finds(backend, server, alice):
    server.claims["good"] = active(exp=in_seconds(HOUR))
    held = holding(*backend.authenticate([presented()]))
    server.claims["good"] = active(exp=in_seconds(2 * HOUR))
    (verdict,) = backend.revalidate(held)
    moved = verdict.authentication.expires_at - held[0].authentication.expires_at
    assert moved >= timedelta(seconds=HOUR)


def test_token_of_a_client_itself_is_no_users(server, alice):
    server.claims["good"] = {"active": True, "sub": str(alice.pk), "client_id": str(alice.pk)}
    options = {"user_claim": "sub", "user_field": "pk"}
    assert verdict_on(backend_at(server, **options)) is CloseReason.FORBIDDEN
    assert verdict_on(backend_at(server, allow_machines=True, **options)) == alice


def test_labels_are_the_session_the_client_and_what_the_site_names(server, alice):
    server.claims["good"] = active(sid="s1", client_id="app", tenant=7, acr="2", auth_time=5)
    (verdict,) = backend_at(server, labels=["tenant"]).authenticate([presented()])
    authentication = verdict.authentication
    assert authentication.labels == {"sid": "s1", "client_id": "app", "tenant": "7"}
    assert (authentication.acr, authentication.auth_time) == (
        "2",
        datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("claims", "slug"),
    [
        ({"active": False}, "inactive_token"),
        (active(exp=1), "expired"),
        (active(cnf={"jkt": "thumb"}), "key_bound"),
        (active(token_type="DPoP"), "wrong_type"),
        (active(aud="mail", iss="https://as"), "wrong_audience"),
        (active(aud="ws", iss="https://other"), "wrong_issuer"),
        (active(aud="ws", iss="https://as", username="nobody"), "unknown_user"),
    ],
)
def test_refusal_has_a_reason_for_developers(server, alice, claims, slug):
    server.claims["good"] = claims
    backend = backend_at(server, audience="ws", issuer="https://as")
    (verdict,) = backend.authenticate([presented()])
    assert verdict.detail.slug == slug
    assert verdict.detail.remedy.endswith(".")


def test_user_of_a_model_of_ones_own_is_found_by_what_he_logs_in_with(settings, server, db):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="ada@example.com")
    server.claims |= {
        "name": active(username="ada@example.com"),
        "key": active(sub=str(member.pk)),
        "none": active(sub="no UUID"),
    }
    by_key = backend_at(server, user_claim="sub", user_field="pk")
    assert verdict_on(backend_at(server), "name") == member
    assert verdict_on(by_key, "key") == member
    assert verdict_on(by_key, "none") is CloseReason.TOKEN_INVALID


def test_field_that_two_users_share_names_neither(server, alice):
    server.claims["good"] = active(email="shared@example.com")
    get_user_model().objects.create(username="bob")
    backend = backend_at(server, user_claim="email", user_field="email")
    get_user_model().objects.update(email="shared@example.com")
    assert verdict_on(backend) is CloseReason.TOKEN_INVALID


def test_empty_claim_names_nobody(server, alice):
    server.claims["good"] = active(email=alice.email)
    assert alice.email == ""
    backend = backend_at(server, user_claim="email", user_field="email")
    assert verdict_on(backend) is CloseReason.TOKEN_INVALID


def find_user(claims):
    """Return the user of a claim: a site's function for the option `user`."""
    return get_user_model().objects.get(username=claims["nick"])


def test_function_of_the_site_finds_the_user(server, alice):
    server.claims |= {"good": active(nick="alice"), "bad": active(nick="bob")}
    backend = backend_at(server, user=f"{__name__}.find_user")
    assert verdict_on(backend) == alice
    assert verdict_on(backend, "bad") is CloseReason.TOKEN_INVALID
    assert verdict_on(backend, "inactive: not asked about") is CloseReason.TOKEN_INVALID


def test_batch_is_asked_once_a_token_with_one_query(
    backend, server, alice, django_assert_num_queries
):
    batch = [presented(token) for token in ("good", "bad", "good", "good")]
    with django_assert_num_queries(1) as asked:
        verdicts = [outcome(verdict) for verdict in backend.authenticate(batch)]
    assert verdicts == [alice, CloseReason.TOKEN_INVALID, alice, alice]
    assert len(server.requests) == 2
    assert asked.captured_queries[0]["sql"].startswith("SELECT")


def test_batch_is_asked_in_parallel_within_bounds(server, alice):
    server.meeting = threading.Barrier(4)  # each request waits for three others
    backend = backend_at(server, max_parallel=4)
    verdicts = backend.authenticate([presented(str(number)) for number in range(8)])
    assert {outcome(verdict) for verdict in verdicts} == {CloseReason.TOKEN_INVALID}


@pytest.mark.asvs("13.2.6")
def test_no_more_requests_at_a_time_than_allowed(server, alice):
    server.meeting = threading.Barrier(2)
    backend_at(server, max_parallel=2).authenticate([presented(str(n)) for n in range(6)])
    assert server.most_at_once == 2


@pytest.mark.asvs("13.2.6")
def test_slow_answer_is_unavailable_and_costs_the_others_nothing(server, alice, caplog):
    server.slow = {"slow"}
    backend = backend_at(server, timeout=2)
    verdicts = backend.authenticate([presented("slow"), presented()])  # never answers "slow"
    assert [outcome(verdict) for verdict in verdicts] == [CloseReason.UNAVAILABLE, alice]
    assert caplog.records


@pytest.mark.parametrize("error", ["unsupported_token_type", "invalid_token", "invalid_grant"])
def test_answer_about_the_token_is_a_verdict(backend, server, alice, caplog, error):
    server.status, server.body = 400, json.dumps({"error": error}).encode()
    assert verdict_on(backend) is CloseReason.TOKEN_INVALID
    assert caplog.records == []


def test_request_is_called_invalid_because_of_its_token_only_where_others_were_not(
    backend, server, alice
):
    def judge_refused():
        server.status, server.body = 400, b'{"error": "invalid_request"}'
        code = verdict_on(backend)
        server.status, server.body = 200, None
        return code

    assert judge_refused() is CloseReason.UNAVAILABLE, "our own request may be wrong"
    assert verdict_on(backend) == alice
    assert judge_refused() is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "temporarily", 7, None])
@pytest.mark.parametrize("status", [400, 401])
def test_answer_about_this_site_says_nothing_about_the_token(backend, server, alice, status, error):
    assert verdict_on(backend) == alice
    server.status, server.body = status, json.dumps({"error": error}).encode()
    assert verdict_on(backend) is CloseReason.UNAVAILABLE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_server_that_gives_no_answer_is_unavailable(backend, server, alice, caplog, status):
    server.status = status
    assert verdict_on(backend) is CloseReason.UNAVAILABLE
    assert verdict_on(backend) is CloseReason.UNAVAILABLE
    (record,) = caplog.records
    assert f" {status}." in record.getMessage()
    assert ("OPTIONS" in record.getMessage()) is (status in (401, 403))


def test_trouble_of_another_kind_is_reported_after_a_good_answer(backend, server, alice, caplog):
    for server.status, expected in ((500, None), (200, alice), (502, None)):
        assert verdict_on(backend) == (expected or CloseReason.UNAVAILABLE)
    levels = [record.levelname for record in caplog.records]
    assert levels == ["ERROR", "WARNING", "ERROR"], "the second reports the end"


def test_trouble_that_comes_and_goes_fails_closed_and_floods_no_log(backend, server, alice, caplog):
    for _ in range(3):
        for server.status, expected in ((500, CloseReason.UNAVAILABLE), (200, alice)):
            assert verdict_on(backend) == expected
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_outage_lasts_while_a_backend_with_other_credentials_is_refused(
    server, alice, outage_events
):
    refused, good = backend_at(server, client_secret="old-s3cret"), backend_at(server)
    for backend, server.status in ((refused, 401), (good, 200), (refused, 401), (refused, 200)):
        verdict_on(backend)
        kinds = [type(each) for each in outage_events]
        assert kinds == ([OutageBegan] if server.status == 401 or backend is good else kinds)
    assert kinds == [OutageBegan, OutageEnded]


def test_outage_is_emitted_once_when_it_begins_and_when_it_ends(server, alice, outage_events):
    backend = backend_at(server)
    for server.status in (500, 401, 200, 200):
        verdict_on(backend)
    assert [(type(each), each.service, each.name) for each in outage_events] == [
        (OutageBegan, "introspection", server.url),
        (OutageEnded, "introspection", server.url),
    ]
    assert "500" in outage_events[0].error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"{}",
        b'{"active": "true"}',
        b'{"active": true, "username": "alice", "x": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_answer_that_is_none_is_unavailable(backend, server, alice, caplog, body):
    server.body = body
    assert verdict_on(backend) is CloseReason.UNAVAILABLE
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_deeply_nested_answer_lets_nobody_in(backend, server, alice):
    # Older Pythons cannot read it: unavailable. Newer ones can, and find that it names no user.
    server.body = b'{"active": true, "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    assert verdict_on(backend) in (CloseReason.UNAVAILABLE, CloseReason.TOKEN_INVALID)


@pytest.mark.asvs("15.3.2")
def test_redirect_is_not_followed(backend, server, alice):
    server.status, server.headers = 307, {"Location": server.url}
    assert verdict_on(backend) is CloseReason.UNAVAILABLE
    assert len(server.requests) == 1


def test_cookies_of_the_server_are_not_kept(backend, server, alice):
    server.headers = {"Set-Cookie": "session=1; Path=/"}
    verdict_on(backend)
    verdict_on(backend)
    assert "Cookie" not in server.requests[1][0]


def test_netrc_and_proxies_are_not_asked(server, alice, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert verdict_on(backend_at(server)) == alice
    assert server.requests[0][0]["Authorization"].startswith("Basic ")


def test_server_that_is_away_is_unavailable(alice, caplog):
    with introspection_server() as gone:
        backend = backend_at(gone)
    assert verdict_on(backend) is CloseReason.UNAVAILABLE
    assert "ConnectionRefusedError" in caplog.text


class Reporter(logging.Handler):
    """Stores the variables of all frames of each record, as Sentry's `attach_stacktrace` does."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def emit(self, record):
        frame = sys._getframe()
        while frame := frame.f_back:
            self.seen.append(repr(frame.f_locals))


@pytest.mark.parametrize("status", [200, 401, 500])
def test_no_frame_that_logs_has_a_secret(server, alice, status):
    server.status, server.body = status, b"no JSON"
    reporter, logger = Reporter(), logging.getLogger("channels_token_auth")
    backend = backend_at(server, client_secret="s3cret-of-this-site")
    logger.addHandler(reporter)
    # In the thread that asks, all frames are the library's own.
    assert verdict_on(backend, "t0ken-of-alice") is CloseReason.UNAVAILABLE
    logger.removeHandler(reporter)
    own = base64.b64encode(b"site:s3cret-of-this-site").decode()
    assert reporter.seen
    assert not [each for each in reporter.seen if "t0ken-of-alice" in each or own in each]


def test_nothing_secret_is_shown(backend, server, alice, caplog):
    server.claims["the-token"] = active()
    shown = repr(backend.authenticate([presented("the-token")]))
    server.status = 401
    verdict_on(backend, "the-token")
    shown += repr(backend) + repr(vars(backend)) + caplog.text
    assert "the-token" not in shown
    assert "s3cret" not in shown


@pytest.mark.hypothesis
def test_any_claims_give_a_verdict(backend, server, alice):
    @given(claims=CLAIMS)
    def ask(claims):
        server.claims["good"] = active(**claims)
        (verdict,) = backend.authenticate([presented()])
        assert isinstance(verdict, Identity | TokenAuthError)

    ask()


@pytest.mark.hypothesis
@given(claim=st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
@pytest.mark.django_db
def test_any_claim_names_at_most_one_user(claim):
    (verdict,) = ClaimedUsers(claim="sub", field="pk", function=None).find([{"sub": claim}])
    assert verdict.detail.slug == "unknown_user"


def holding(*verdicts):
    """Return the grants of sockets with these identities."""
    return [
        Grant(user_pk=each.user.pk, authentication=each.authentication, handle=each.handle)
        for each in verdicts
    ]


@pytest.fixture
def sockets(backend, server, db):
    """Return the grants of four users' sockets, whose tokens are "0" to "3"."""
    for number in range(4):
        get_user_model().objects.create(username=f"user {number}")
        server.claims[str(number)] = active(username=f"user {number}", exp=in_seconds(HOUR))
    verdicts = backend.authenticate([presented(str(number)) for number in range(4)])
    server.requests.clear()
    return holding(*verdicts)


def test_revalidation_asks_the_server_again(backend, server, sockets, django_assert_num_queries):
    del server.claims["0"]
    get_user_model().objects.filter(username="user 1").update(is_active=False)
    server.claims["2"] |= {"username": "user 3"}
    server.claims["3"] |= {"scope": "less"}
    with django_assert_num_queries(1):
        verdicts = backend.revalidate([*sockets, sockets[3]])
    codes = [CloseReason.TOKEN_REVOKED, CloseReason.USER_INACTIVE, CloseReason.TOKEN_REVOKED]
    assert [outcome(verdict) for verdict in verdicts[:3]] == codes
    assert verdicts[3] == verdicts[4]
    assert verdicts[3].authentication == replace(
        sockets[3].authentication, scopes=frozenset({"less"})
    )
    assert verdicts[3].handle == sockets[3].handle
    assert len(server.requests) == 4


def test_token_that_the_server_has_forgotten_after_its_time_has_expired(backend, server, sockets):
    del server.claims["0"]
    (verdict,) = backend.revalidate([expired(sockets[0])])
    assert verdict.code is CloseReason.TOKEN_EXPIRED


def test_revalidation_of_a_server_that_is_slow_says_nothing_about_its_tokens(server, sockets):
    server.slow = {"1"}
    verdicts = backend_at(server, timeout=2).revalidate(sockets[:2])
    assert [outcome(verdict) for verdict in verdicts] == [
        get_user_model().objects.get(username="user 0"),
        CloseReason.UNAVAILABLE,
    ]


def test_of_more_tokens_than_there_is_time_for_others_are_first_each_time(server, alice):
    backend = backend_at(server, max_parallel=1)
    batch = [presented(str(number)) for number in range(20)]
    for _ in range(2):
        backend.authenticate(batch)
    asked = [form["token"] for _, form in server.requests]
    assert asked[:20] != asked[20:]


@pytest.mark.parametrize("way", ["by a ticket", "revalidate off"])
def test_revalidation_without_a_token_is_one_query_about_the_users(
    way, server, sockets, django_assert_num_queries
):
    if way == "revalidate off":
        cautious = backend_at(server, revalidate=False)
        sockets = holding(*cautious.authenticate([presented(str(n)) for n in range(4)]))
        server.requests.clear()
    else:
        sockets = [replace(socket, handle=None) for socket in sockets]
    get_user_model().objects.filter(username="user 0").delete()
    get_user_model().objects.filter(username="user 3").update(is_active=False)
    sockets[1] = expired(sockets[1])
    with django_assert_num_queries(1):
        verdicts = backend_at(server).revalidate(sockets)
    assert [outcome(verdict) for verdict in verdicts] == [
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_EXPIRED,
        get_user_model().objects.get(username="user 2"),
        CloseReason.USER_INACTIVE,
    ]
    assert verdicts[2].authentication == sockets[2].authentication
    assert server.requests == []


def expired(held):
    past = datetime.now(UTC) - timedelta(seconds=1)
    return replace(held, authentication=replace(held.authentication, expires_at=past))


def test_what_lives_elsewhere_is_ended_by_the_denylist_only(backend, alice, sockets):
    assert backend.revoke(sockets[:2]) == [False, False]
    assert backend.revoke_user(alice.pk, except_token_id=None, issued_before=None) is False
    assert backend.announcements() == []


def test_any_bearer_token_may_be_one(backend):
    assert backend.schemes == {"bearer"}
    assert backend.recognizes(presented("any"))


def ids(backend):
    return [message.id.removeprefix("channels_token_auth.") for message in check(backend)]


@pytest.fixture
def bounded(settings):
    settings.CHANNELS_TOKEN_AUTH = {"MAX_CONNECTION_AGE": 600}


SAFE = {"audience": "ws", "user_claim": "sub", "user_field": "pk"}


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://127.0.0.1:8000/introspect"},
        {"url": "http://[::1]/introspect"},
        {"url": "http://localhost/introspect"},
        {"url": "https://as.example/introspect"},
        {"client_id": None, "client_secret": None, "bearer_token": "ours"},
    ],
)
def test_safe_options_pass_the_check(bounded, server, options):
    assert ids(backend_at(server, **SAFE, **options)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://as.example/introspect"},
        {"url": "http://127.0.0.1.example/"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "https:///introspect"},
        {"url": "https://user:password@as.example/"},
        {"url": "https://as.example/#fragment"},
        {"url": "introspect"},
        {"client_id": None},
        {"client_secret": ""},
        {"client_id": None, "client_secret": None},
        {"bearer_token": "and-a-client"},
        {"client_id": None, "client_secret": None, "bearer_token": "ours\n"},
        {"client_id": None, "client_secret": None, "bearer_token": "Bearer ours"},
        {"client_id": None, "client_secret": None, "bearer_token": "\xe9"},
    ],
)
def test_unsafe_options_are_errors_and_nothing_is_sent(bounded, server, options):
    backend = backend_at(server, **SAFE, **options)
    assert ids(backend) == ["E170"]
    with pytest.raises(ImproperlyConfigured):
        backend.authenticate([presented()])
    assert server.requests == []


@pytest.mark.parametrize(
    "options", [{"user": "no.such.function"}, {"user_field": "nick"}, {"user_field": "email"}]
)
def test_users_that_cannot_be_identified_are_an_error(bounded, server, options):
    assert ids(backend_at(server, **(SAFE | options))) == ["E171"]


def test_function_of_the_site_passes_the_check(bounded, server):
    assert ids(backend_at(server, audience="ws", user=f"{__name__}.find_user")) == []


def test_sockets_without_a_bound_are_a_warning(server):
    assert ids(backend_at(server, **SAFE)) == []
    assert ids(backend_at(server, **SAFE, revalidate=False)) == ["W170"]


def test_tokens_of_other_services_are_a_warning(bounded, server):
    assert ids(backend_at(server, **(SAFE | {"audience": None}))) == ["W172"]


@pytest.mark.parametrize("claim", ["username", "preferred_username", "email", "upn"])
@pytest.mark.asvs("10.3.3")
def test_claim_that_another_person_may_get_is_a_warning(bounded, server, claim):
    options = {"user_claim": claim, "user_field": "username"}
    assert ids(backend_at(server, **(SAFE | options))) == ["W171"]
