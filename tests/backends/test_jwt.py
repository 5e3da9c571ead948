"""JWTs of any issuer."""

import json
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from channels_token_auth.backends.contract import Undecided
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.backends.sources.jwks.key_server import INTERVAL
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity
from tests.backends.checking import outcome
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import KEYS, ec_keys, jwk, pem, rsa_keys, signed_by_hand
from tests.backends.own_users.models import Member
from tests.plugins.examples import times
from tests.plugins.state import wait_for_requests

SECRET = "a secret of the tests, with more bytes than the largest HMAC hash has"
BASE64URL = string.ascii_letters + string.digits + "-_"
PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
PART = st.text(BASE64URL, max_size=40) | st.binary(max_size=60).map(
    lambda part: jwt.utils.base64url_encode(part).decode()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["sub", "exp", "iat", "nbf", "jti", "scope", "aud", "iss", "token_use"]), JSON
)


def presented(token, location=Location.HEADER, scheme=None):
    return Credential(location=location, secret=Secret(token), scheme=scheme)


def user_of(name, **fields):
    return get_user_model().objects.create(username=name, **fields)


def now():
    return int(datetime.now(UTC).timestamp())


def claims_of(user="1", **changes):
    """Return the claims of a good token, with the changes; `...` leaves one out."""
    subject = str(getattr(user, "pk", user))
    claims = {"sub": subject, "iat": now(), "exp": now() + 60, "jti": "a1"} | changes
    return {name: value for name, value in claims.items() if value is not ...}


def signed(claims, key=SECRET, algorithm="HS256", header=None):
    # Not by `jwt.encode`, which refuses some claims.
    return jwt.api_jws.encode(json.dumps(claims).encode(), key, algorithm, headers=header)


def backend_of(**options):
    own = {} if {"key", "keys", "jwks_url"} & options.keys() else {"key": SECRET}
    return JWTBackend(**({"algorithms": ["HS256"]} | own | options))


def verdict_on(backend, token):
    """Return the verdict of a handshake, which waits until the keys are fetched."""
    (verdict,) = backend.authenticate([presented(token)])
    if isinstance(verdict, Undecided):
        verdict.settled.result(60)
        (verdict,) = backend.authenticate([presented(token)])
    return verdict


def judge(backend, token):
    return outcome(verdict_on(backend, token))


@pytest.fixture
def backend():
    return backend_of()


@pytest.fixture
def alice(db):
    return user_of("alice")


def test_token_gives_its_claims(backend, alice):
    claims = claims_of(alice, scope="chat read")
    (verdict,) = backend.authenticate([presented(signed(claims))])
    authentication = verdict.authentication
    assert (authentication.token_id, authentication.scopes) == ("a1", {"chat", "read"})
    assert authentication.issued_at == datetime.fromtimestamp(claims["iat"], UTC)
    assert authentication.expires_at == datetime.fromtimestamp(claims["exp"], UTC)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": 1}, CloseReason.TOKEN_EXPIRED),
        ({"exp": ...}, CloseReason.TOKEN_INVALID),
        ({"exp": 1e30}, CloseReason.TOKEN_INVALID),
        ({"exp": "soon"}, CloseReason.TOKEN_INVALID),
        ({"iat": 9e9}, CloseReason.TOKEN_INVALID),
        ({"iat": "today"}, CloseReason.TOKEN_INVALID),
        ({"nbf": 9e9}, CloseReason.TOKEN_INVALID),
        ({"aud": "mail"}, CloseReason.TOKEN_INVALID),
        ({"sub": ...}, CloseReason.TOKEN_INVALID),
        ({"sub": "0"}, CloseReason.TOKEN_INVALID),
        ({"sub": "alice"}, CloseReason.TOKEN_INVALID),
        ({"sub": str(2**70)}, CloseReason.TOKEN_INVALID),
    ],
)
def test_token_that_is_not_right_is_refused(backend, alice, changes, expected):
    assert judge(backend, signed(claims_of(alice, **changes))) is expected


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [("another secret, which has more than 32 bytes", "HS256"), (SECRET, "HS384"), ("", "none")],
)
@pytest.mark.asvs("9.1.1")
def test_token_that_nobody_known_signed_is_left_to_the_next_backend(backend, alice, key, algorithm):
    assert judge(backend, signed(claims_of(alice), key=key, algorithm=algorithm)) is None


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.asvs("9.1.2")
def test_secret_verifies_by_every_algorithm_that_has_one(alice, algorithm):
    backend = backend_of(algorithms=[algorithm])
    token, forged = (signed(claims_of(alice), key, algorithm) for key in (SECRET, SECRET[::-1]))
    assert [judge(backend, token), judge(backend, forged)] == [alice, None]


@pytest.mark.parametrize("where", ["key", "jwks_url"])
@pytest.mark.parametrize("name", KEYS)
@pytest.mark.asvs("9.1.1")
def test_public_key_verifies_by_every_algorithm_that_has_one(alice, where, name):
    (private, public), algorithm = KEYS[name], name.split()[0]
    token = signed(claims_of(alice), private, algorithm, header={"kid": "1"})
    head, body, signature = token.split(".")
    forged = f"{head}.{body}.{'A' * len(signature)}"
    with jwks_server({"keys": [jwk(public, algorithm, kid="1")]}) as server:
        options = {"key": pem(public)} if where == "key" else {"jwks_url": server.url}
        backend = backend_of(algorithms=[algorithm], **options)
        assert [judge(backend, each) for each in (token, forged)] == [alice, None]


@pytest.mark.asvs("9.1.2")
def test_none_is_no_algorithm_even_where_it_is_named(alice):
    backend = backend_of(algorithms=["none", "HS256"])
    assert judge(backend, signed(claims_of(alice), key="", algorithm="none")) is None


@pytest.mark.asvs("9.1.2")
def test_public_key_is_no_secret_to_sign_with(alice):
    private, public = rsa_keys()
    forged = signed_by_hand(pem(public), claims_of(alice))
    for algorithms in (["RS256"], ["RS256", "HS256"], ["HS256", "RS256"]):
        backend = backend_of(algorithms=algorithms, key=pem(public))
        assert judge(backend, signed(claims_of(alice), private, "RS256")) == alice
        assert judge(backend, forged) is None


@pytest.mark.parametrize("name", ["jku", "x5u", "kid", "jwk", "x5c"])
@pytest.mark.asvs("9.1.3")
def test_header_steers_nothing(alice, name):
    with jwks_server({"keys": [jwk(rsa_keys("thief")[1], kid="1")]}) as server:
        header = {name: jwk(rsa_keys("thief")[1]) if name == "jwk" else server.url}
        backend = backend_of(algorithms=["RS256"], key=pem(rsa_keys("ours")[1]))
        good, forged = (
            signed(claims_of(alice), rsa_keys(pair)[0], "RS256", header=header)
            for pair in ("ours", "thief")
        )
        assert [judge(backend, token) for token in (good, forged)] == [alice, None]
        assert server.asked == []


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None])
def test_what_a_header_calls_critical_is_not_ignored(backend, alice, crit):
    header = {"crit": crit, "b64": True, "exp": 1}
    token = signed_by_hand(SECRET, claims_of(alice), header)
    assert judge(backend, token) in {None, CloseReason.TOKEN_INVALID}, "which is PyJWT's affair"
    assert judge(backend, signed_by_hand(SECRET, claims_of(alice), {"b64": True})) == alice


@given(PRINTABLE | st.builds("{}.{}.{}".format, PART, PART, PART))
def test_any_text_has_a_verdict(text):
    assert judge(backend_of(), text) is None


def test_header_that_nests_deeply_has_a_verdict(backend):
    nested = jwt.utils.base64url_encode(b"[" * 3000).decode()
    assert judge(backend, f"{nested}.e30.AAAA") is None


class ClaimsTests(TestCase):
    @given(CLAIMS, st.sampled_from(["pk", "username", "email"]))
    @times(0.8)
    def test_any_claims_have_a_verdict(self, claims, field):
        backend = backend_of(user_field=field, token_type=["token_use", "access"], audience="a")
        claims = claims_of(aud="a", token_use="access") | claims
        (verdict,) = backend.authenticate([presented(signed(claims))])
        assert verdict is None or isinstance(verdict, TokenAuthError | Identity)


def test_token_has_one_text(backend, alice):
    token = signed(claims_of(alice))
    twins = [f"{token}=", f"{token[:-1]}{BASE64URL[BASE64URL.index(token[-1]) + 1]}"]
    assert judge(backend, token) == alice
    assert [judge(backend, twin) for twin in twins] == [None, None]


def test_keys_may_be_rotated(alice):
    pairs = [rsa_keys("old"), rsa_keys("new"), ec_keys()]
    backend = backend_of(algorithms=["RS256", "ES256"], keys=[pem(key) for _, key in pairs])
    names = ["RS256", "RS256", "ES256"]
    tokens = [
        signed(claims_of(alice), key, name) for (key, _), name in zip(pairs, names, strict=True)
    ]
    assert [judge(backend, token) for token in tokens] == [alice] * 3


def test_key_that_cannot_be_read_makes_no_token_invalid(alice):
    with pytest.raises(ValueError, match="RS256"):
        judge(backend_of(algorithms=["RS256"]), signed(claims_of(alice), rsa_keys()[0], "RS256"))


def test_key_server_is_asked_for_the_key(alice):
    private, public = rsa_keys()
    with jwks_server({"keys": [jwk(public, kid="1")]}) as server:
        backend = backend_of(algorithms=["RS256"], jwks_url=server.url)
        named, unknown, forged = (
            signed(claims_of(alice), key, "RS256", header={"kid": kid})
            for key, kid in ((private, "1"), (private, "2"), (rsa_keys("thief")[0], "1"))
        )
        assert [judge(backend, token) for token in (named, forged)] == [alice, None]
        assert judge(backend, unknown) is CloseReason.UNAVAILABLE, "it may have been published"
        assert judge(backend, signed(claims_of(alice), private, "RS256")) == alice
        assert len(server.asked) == 1


def test_key_server_that_is_away_makes_no_token_invalid(alice):
    token = signed(claims_of(alice), rsa_keys()[0], "RS256", header={"kid": "1"})
    with jwks_server({}) as server:
        backend = backend_of(algorithms=["RS256"], jwks_url=server.url)
        verdict = verdict_on(backend, token)
        assert (verdict.code, verdict.detail.slug) == (CloseReason.UNAVAILABLE, "keys_unavailable")
        assert 0 < verdict.retry_after <= INTERVAL


def test_token_that_cannot_be_of_the_key_server_does_not_ask_it(alice):
    with jwks_server({}) as server:
        backend = backend_of(algorithms=["RS256"], jwks_url=server.url)
        strange = signed_by_hand(SECRET, claims_of(alice), {"kid": 7})
        tokens = [signed(claims_of(alice)), signed(claims_of(alice), "", "none"), strange, "a.b.c"]
        assert [judge(backend, token) for token in tokens] == [None] * 4
        assert server.asked == []


@pytest.mark.parametrize("audience", ["chat", ["site", "chat"]])
@pytest.mark.asvs("9.2.3", "10.3.1")
def test_audience_has_to_be_this_site(alice, audience):
    backend = backend_of(audience=audience)
    given = ["chat", ["mail", "chat"], "mail", ["mail"], "cha", ...]
    judged = [judge(backend, signed(claims_of(alice, aud=each))) for each in given]
    assert judged == [alice, alice, *[CloseReason.TOKEN_INVALID] * 4]


@pytest.mark.parametrize("issuer", ["https://id", ["https://id", "https://old"]])
def test_token_of_another_issuer_is_left_to_the_next_backend(alice, issuer):
    backend = backend_of(issuer=issuer)
    given = ["https://id", "https://other", "https://i", 7, ...]
    judged = [judge(backend, signed(claims_of(alice, iss=each))) for each in given]
    assert judged == [alice, None, None, None, CloseReason.TOKEN_INVALID]


@pytest.mark.parametrize(
    ("typ", "is_right"),
    [("at+jwt", True), ("application/AT+JWT", True), ("JWT", False), (None, False), (7, False)],
)
@pytest.mark.asvs("9.2.2")
def test_type_of_the_header_has_to_be_right(alice, typ, is_right):
    token = signed(claims_of(alice), header={"typ": typ})
    expected = alice if is_right else CloseReason.TOKEN_INVALID
    assert judge(backend_of(typ="at+jwt"), token) == expected


@pytest.mark.asvs("9.2.2")
def test_refresh_token_is_no_access_token(alice):
    backend = backend_of(token_type=("token_use", "access"))
    given = ["access", "refresh", ["access"], ...]
    judged = [judge(backend, signed(claims_of(alice, token_use=each))) for each in given]
    assert judged == [alice, *[CloseReason.TOKEN_INVALID] * 3]


def test_leeway_delays_the_expiry(alice):
    claims = claims_of(alice, exp=now() - 5, iat=now() + 5)
    (verdict,) = backend_of(leeway=20).authenticate([presented(signed(claims))])
    expected = datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=20)
    assert verdict.authentication.expires_at == expected


def test_required_claims_have_to_be_there(alice):
    backend = backend_of(required_claims=["tenant"])
    assert judge(backend, signed(claims_of(alice, tenant="a"))) == alice
    assert judge(backend, signed(claims_of(alice))) is CloseReason.TOKEN_INVALID


def test_token_may_last_for_ever_only_where_that_is_allowed(alice):
    token = presented(signed(claims_of(alice, exp=..., iat=...)))
    (verdict,) = backend_of(require_exp=False).authenticate([token])
    assert verdict.user == alice
    assert (verdict.authentication.issued_at, verdict.authentication.expires_at) == (None, None)


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        ("chat  read", {"chat", "read"}),
        (["chat", "read", 7], {"chat", "read"}),
        ("", set()),
        (7, set()),
        (..., set()),
    ],
)
def test_scopes_are_words_or_a_list(alice, claim, scopes):
    token = presented(signed(claims_of(alice, scp=claim, scope="no")))
    (verdict,) = backend_of(scope_claim="scp").authenticate([token])
    assert verdict.authentication.scopes == scopes


def test_scopes_may_be_left_unread(alice):
    token = presented(signed(claims_of(alice, scope="chat")))
    (verdict,) = backend_of(scope_claim=None).authenticate([token])
    assert verdict.authentication.scopes == set()


def test_user_is_found_by_the_claim_and_the_field_that_are_named(alice):
    backend = backend_of(user_claim="name", user_field="username")
    assert judge(backend, signed(claims_of(0, name="alice"))) == alice
    by_login = backend_of(user_field=None)
    assert judge(by_login, signed(claims_of("alice"))) == alice


def test_user_with_another_primary_key_is_found(db, settings):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="m@example.com")
    assert judge(backend_of(), signed(claims_of(member))) == member
    assert judge(backend_of(user_field=None), signed(claims_of("m@example.com"))) == member
    assert judge(backend_of(), signed(claims_of("7"))) is CloseReason.TOKEN_INVALID


def by_tenant(claims):
    if "tenant" not in claims:
        return None
    return get_user_model().objects.get(username=f"{claims['tenant']}-{claims['sub']}")


def anonymous(claims):
    return AnonymousUser()


def test_user_is_whom_the_function_returns(db):
    backend = backend_of(user=f"{__name__}.by_tenant")
    user = user_of("a-7")
    given = [{"tenant": "a"}, {"tenant": "b"}, {}]
    judged = [judge(backend, signed(claims_of("7", **each))) for each in given]
    assert judged == [user, CloseReason.TOKEN_INVALID, CloseReason.TOKEN_INVALID]


def test_function_that_returns_nobody_refuses(db):
    backend = backend_of(user=f"{__name__}.anonymous")
    assert judge(backend, signed(claims_of())) is CloseReason.TOKEN_INVALID


def test_rubbish_asks_nothing(backend, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert judge(backend, "a.b.c") is None


def holding(*verdicts):
    """Return the grants of sockets with these identities."""
    return [
        Grant(user_pk=each.user.pk, authentication=each.authentication, handle=each.handle)
        for each in verdicts
    ]


@pytest.fixture
def key_server():
    documents = {name: jwk(rsa_keys(name)[1], kid="1") for name in ("old", "new")}
    with jwks_server({"keys": [documents["old"]]}) as server:
        server.publish = lambda *names: setattr(
            server, "document", {"keys": [documents[name] | {"x5t": "new"} for name in names]}
        )
        yield server


def socket_of(user, backend, name="old"):
    token = signed(claims_of(user), rsa_keys(name)[0], "RS256", header={"kid": "1"})
    return holding(verdict_on(backend, token))[0]


@pytest.mark.parametrize(
    ("published", "expected"), [(["new", "old"], None), (["new"], CloseReason.TOKEN_EXPIRED)]
)
def test_revalidation_sees_a_key_that_the_key_server_has_withdrawn(
    alice, key_server, published, expected, steady
):
    backend = backend_of(algorithms=["RS256"], jwks_url=key_server.url, jwks_lifetime=10)
    socket = socket_of(alice, backend)
    key_server.publish(*published)
    steady.now += 10 + INTERVAL
    assert outcome(backend.revalidate([socket])[0]) == alice, "the keys are refreshed meanwhile"
    wait_for_requests()
    (verdict,) = backend.revalidate([socket])
    assert outcome(verdict) == (expected or alice)
    assert expected or verdict.handle == socket.handle
    assert len(key_server.asked) == 2


def test_revalidation_asks_no_more_than_the_users_of_others_and_of_those_that_came_by_a_ticket(
    alice, backend, key_server, steady
):
    asking = backend_of(algorithms=["RS256"], jwks_url=key_server.url)
    by_ticket = replace(socket_of(alice, asking), handle=None)
    own = holding(*backend.authenticate([presented(signed(claims_of(alice)))]))
    key_server.publish("new")
    steady.now += 10**6
    assert [outcome(verdict) for verdict in asking.revalidate([by_ticket])] == [alice]
    assert [outcome(verdict) for verdict in backend.revalidate(own)] == [alice]
    assert len(key_server.asked) == 1


def test_revalidation_is_open_while_the_key_server_fails_for_too_long(alice, key_server, steady):
    backend = backend_of(algorithms=["RS256"], jwks_url=key_server.url)
    socket = socket_of(alice, backend)
    gone = socket_of(user_of("bob", is_active=True), backend)
    get_user_model().objects.filter(username="bob").update(is_active=False)
    key_server.status = 500
    steady.now += 10**6
    verdicts = backend.revalidate([socket, gone])
    assert list(map(outcome, verdicts)) == [CloseReason.UNAVAILABLE, CloseReason.USER_INACTIVE]


def test_token_has_no_row_to_end_and_nobody_announces_it(backend, alice):
    (verdict,) = backend.authenticate([presented(signed(claims_of(alice)))])
    socket = Grant(user_pk=alice.pk, authentication=verdict.authentication)
    assert backend.revoke([socket, socket]) == [False, False]
    assert backend.revoke_user(alice.pk, except_token_id=None, issued_before=None) is False
    assert backend.announcements() == []


@pytest.mark.parametrize("jti", [..., "", "two words", "j" * 129])
def test_token_without_a_usable_id_is_named_by_its_digest(backend, alice, jti):
    token = signed(claims_of(alice, jti=jti))
    (verdict,) = backend.authenticate([presented(token)])
    assert verdict.authentication.token_id == Secret(token).digest


@pytest.mark.parametrize(
    ("text", "scheme", "is_claimed"),
    [
        ("a.b.c", None, True),
        ("a.b.c", "bearer", True),
        ("a.b.c", "token", False),
        ("opaque", "bearer", False),
        ("a.b.c.d.e", "bearer", False),
    ],
)
def test_only_what_has_the_shape_of_a_jwt_is_claimed(backend, text, scheme, is_claimed):
    assert backend.recognizes(presented(text, scheme=scheme)) is is_claimed
