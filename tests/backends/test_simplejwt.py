"""The tokens of djangorestframework-simplejwt."""

import copy
import json
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.db.models.signals import post_save
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework import exceptions as drf
from rest_framework_simplejwt import state
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.models import TokenUser
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, BlacklistMixin, RefreshToken, SlidingToken

from channels_token_auth.backends.contract import RevokedTokens, Undecided
from channels_token_auth.backends.simplejwt import SimpleJWTBackend
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant, Identity
from tests.backends.checking import check, outcome
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, pem, rsa_keys, signed_by_hand
from tests.backends.own_users.models import Member
from tests.plugins.examples import times

CLASSES = "rest_framework_simplejwt.tokens"
SLIDING = [f"{CLASSES}.AccessToken", f"{CLASSES}.SlidingToken"]
PRINTABLE = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
KID = {"kid": "1"}
CLAIMS = st.dictionaries(
    st.sampled_from(["user_id", "exp", "iat", "nbf", "jti", "token_type", "aud", "iss"]), JSON
)


def presented(token, location=Location.HEADER, scheme=None):
    return Credential(location=location, secret=Secret(str(token)), scheme=scheme)


def user_of(name, **fields):
    return get_user_model().objects.create(username=name, **fields)


def signed(claims=(), header=None, key=None, algorithm="HS256", **changes):
    """A token of the package's, but for these claims; `...` leaves one out."""
    now = int(datetime.now(UTC).timestamp())
    payload = {"token_type": "access", "exp": now + 60, "iat": now, "jti": "a1", "user_id": "1"}
    payload |= dict(claims) | changes
    payload = {name: value for name, value in payload.items() if value is not ...}
    key = api_settings.SIGNING_KEY if key is None else key
    # Not by `jwt.encode`, which refuses some claims.
    return jwt.api_jws.encode(json.dumps(payload).encode(), key, algorithm, headers=header)


def verdict_on(backend, token):
    """Return the verdict of a handshake, which waits until the keys are fetched."""
    (verdict,) = backend.authenticate([presented(token)])
    if isinstance(verdict, Undecided):
        verdict.settled.result(60)
        (verdict,) = backend.authenticate([presented(token)])
    return verdict


def judge(backend, token):
    return outcome(verdict_on(backend, token))


def held(backend, token):
    (verdict,) = backend.authenticate([presented(token)])
    return Grant(
        user_pk=verdict.user.pk, authentication=verdict.authentication, handle=verdict.handle
    )


@pytest.fixture
def simple_jwt(monkeypatch):
    """Set `SIMPLE_JWT` as it would have been at start-up: the package does not see it change."""

    def change(**changed):
        api_settings.reload()
        api_settings._user_settings = changed
        names = ("ALGORITHM", "SIGNING_KEY", "VERIFYING_KEY", "AUDIENCE", "ISSUER", "JWK_URL")
        values = attrgetter(*names, "LEEWAY")(api_settings)
        monkeypatch.setattr(state, "token_backend", TokenBackend(*values))

    yield change
    api_settings.reload()


@pytest.fixture
def backend():
    return SimpleJWTBackend()


@pytest.fixture
def alice(db):
    return user_of("alice")


def test_access_token_gives_its_claims(backend, alice):
    token = AccessToken.for_user(alice)
    (verdict,) = backend.authenticate([presented(token)])
    authentication = verdict.authentication
    assert authentication.token_id == token["jti"]
    assert authentication.issued_at == datetime.fromtimestamp(token["iat"], UTC)
    assert authentication.expires_at == datetime.fromtimestamp(token["exp"], UTC)
    assert authentication.scopes == frozenset()


@pytest.mark.database
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": 1}, CloseReason.TOKEN_EXPIRED),
        ({"exp": ...}, CloseReason.TOKEN_INVALID),
        ({"exp": 1e30}, CloseReason.TOKEN_INVALID),
        ({"iat": -1e15}, CloseReason.TOKEN_INVALID),
        ({"nbf": 9e9}, CloseReason.TOKEN_INVALID),
        ({"iat": 9e9}, CloseReason.TOKEN_INVALID),
        ({"jti": ...}, CloseReason.TOKEN_INVALID),
        ({"token_type": "refresh"}, CloseReason.TOKEN_INVALID),
        ({"token_type": "sliding"}, CloseReason.TOKEN_INVALID),
        ({"token_type": ...}, CloseReason.TOKEN_INVALID),
        ({"user_id": ...}, CloseReason.TOKEN_INVALID),
        ({"user_id": "0"}, CloseReason.TOKEN_INVALID),
        ({"user_id": "alice"}, CloseReason.TOKEN_INVALID),
        ({"user_id": 2**70}, CloseReason.TOKEN_INVALID),
        ({"user_id": [1]}, CloseReason.TOKEN_INVALID),
        ({"user_id": True}, CloseReason.TOKEN_INVALID),
    ],
)
def test_token_of_ours_that_is_not_right_is_refused(backend, alice, changes, expected):
    assert judge(backend, signed({"user_id": str(alice.pk)} | changes)) is expected


def test_claim_that_is_infinite_is_refused(backend, alice):
    token = signed(user_id=str(alice.pk), exp=float("inf"))
    assert judge(backend, token) in {None, CloseReason.TOKEN_INVALID}, (
        "which of them is PyJWT's affair"
    )


@pytest.mark.parametrize(
    "options",
    [
        {"key": "another key, which is long enough for the algorithm"},
        {"algorithm": "HS512"},
        {"algorithm": "none", "key": ""},
    ],
)
def test_token_that_is_not_of_ours_is_left_to_the_next_backend(backend, alice, options):
    assert judge(backend, signed(user_id=str(alice.pk), **options)) is None


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], None])
def test_token_with_a_critical_header_is_refused(backend, alice, crit):
    header = {"crit": crit, "b64": True, "exp": 1}
    token = signed(user_id=str(alice.pk), header=header)
    assert judge(backend, token) in {None, CloseReason.TOKEN_INVALID}, "which is PyJWT's affair"


class OwnFormat(AccessToken):
    """A token in a text format of the site's own."""

    def get_token_backend(self):
        own = copy.copy(super().get_token_backend())
        own.decode = lambda raw, verify=True: AccessToken().payload | {"user_id": raw[4:]}
        return own


def test_token_class_of_the_site_may_have_a_format_of_its_own(backend, alice, simple_jwt):
    simple_jwt(AUTH_TOKEN_CLASSES=(f"{__name__}.OwnFormat",))
    assert judge(backend, f"a.b.{alice.pk}") == alice


@pytest.mark.parametrize("name", ["jku", "x5u", "kid", "jwk", "x5c"])
@pytest.mark.asvs("9.1.3")
def test_header_of_a_token_steers_nothing(backend, alice, name):
    value = {"kty": "oct", "k": "AA"} if name == "jwk" else "http://127.0.0.1:9/"
    assert judge(backend, signed(user_id=str(alice.pk), header={name: value})) == alice
    forged = signed(user_id=str(alice.pk), header={name: value}, key="A" * 64)
    assert judge(backend, forged) is None


def test_public_key_is_no_secret_to_sign_with(backend, alice, simple_jwt):
    private, public = map(pem, rsa_keys())
    simple_jwt(ALGORITHM="RS256", SIGNING_KEY=private, VERIFYING_KEY=public)
    token = AccessToken.for_user(alice)
    assert judge(backend, token) == alice
    assert judge(backend, signed_by_hand(public, token.payload)) is None


@given(PRINTABLE | st.builds("{}.{}.{}".format, PRINTABLE, PRINTABLE, PRINTABLE))
def test_any_text_has_a_verdict(text):
    assert judge(SimpleJWTBackend(), text) is None


def test_header_that_nests_deeply_has_a_verdict(backend):
    nested = jwt.utils.base64url_encode(b"[" * 3000).decode()
    assert judge(backend, f"{nested}.e30.AAAA") in {None, CloseReason.TOKEN_INVALID}


@pytest.mark.parametrize("moment", [67_768_036_191_676_800, 10**30, 253_402_300_800])
def test_date_that_no_calendar_has_is_invalid(backend, moment):
    for claims in ({"exp": moment}, {"exp": moment, "iat": moment}):
        assert (
            judge(backend, signed({"token_type": "access", **claims})) is CloseReason.TOKEN_INVALID
        )


def test_token_class_whose_store_is_away_says_nothing_of_the_token(backend, alice, monkeypatch):
    def fail(token, *_, **__):
        raise ConnectionRefusedError

    token = str(AccessToken.for_user(alice))
    monkeypatch.setattr(AccessToken, "verify", fail)
    assert judge(backend, token) is CloseReason.UNAVAILABLE


class ClaimsTests(TestCase):
    @given(CLAIMS)
    @times(0.6)
    def test_any_claims_have_a_verdict(self, claims):
        for backend in (SimpleJWTBackend(), SimpleJWTBackend(stateless=True)):
            (verdict,) = backend.authenticate([presented(signed(claims))])
            assert verdict is None or isinstance(verdict, TokenAuthError | Identity)


@pytest.mark.asvs("9.2.2")
def test_refresh_token_never_passes(backend, alice, simple_jwt):
    refresh = RefreshToken.for_user(alice)
    simple_jwt(AUTH_TOKEN_CLASSES=[f"{CLASSES}.RefreshToken", f"{CLASSES}.UntypedToken"])
    assert judge(backend, refresh) is CloseReason.TOKEN_INVALID


def test_no_token_passes_where_none_says_its_type(backend, alice, simple_jwt):
    token = RefreshToken.for_user(alice)
    simple_jwt(TOKEN_TYPE_CLAIM=None)
    assert judge(backend, token) is CloseReason.TOKEN_INVALID


@pytest.mark.database
def test_settings_of_the_package_count(backend, alice, simple_jwt):
    simple_jwt(AUDIENCE="chat", ISSUER="https://id", LEEWAY=20, USER_ID_FIELD="username")
    right = {"aud": "chat", "iss": "https://id", "user_id": "alice"}
    assert judge(backend, signed(right)) == alice
    assert judge(backend, signed(right, aud="mail")) is CloseReason.TOKEN_INVALID
    assert judge(backend, signed(right, iss="https://other")) is None


def test_leeway_delays_the_expiry(backend, alice, simple_jwt):
    simple_jwt(LEEWAY=20)
    exp = int(datetime.now(UTC).timestamp()) - 5
    (verdict,) = backend.authenticate([presented(signed(exp=exp, user_id=str(alice.pk)))])
    assert verdict.authentication.expires_at == datetime.fromtimestamp(exp + 20, UTC)


def test_inactive_user_is_refused_as_such_whatever_the_package_accepts(backend, db, simple_jwt):
    simple_jwt(CHECK_USER_IS_ACTIVE=False)
    assert judge(backend, AccessToken.for_user(user_of("bob", is_active=False))) is (
        CloseReason.USER_INACTIVE
    )


def only_staff(user):
    return user.is_staff


def test_users_that_the_authentication_rule_refuses_are_refused(backend, alice, simple_jwt):
    simple_jwt(USER_AUTHENTICATION_RULE=f"{__name__}.only_staff")
    assert judge(backend, AccessToken.for_user(alice)) is CloseReason.USER_INACTIVE
    assert judge(backend, AccessToken.for_user(user_of("root", is_staff=True))).username == "root"


def staff_or_error(user):
    if user.is_superuser:
        raise RuntimeError
    raise drf.AuthenticationFailed if user.is_staff else drf.PermissionDenied


def test_authentication_rule_refuses_by_what_it_raises(backend, alice, simple_jwt, caplog):
    simple_jwt(USER_AUTHENTICATION_RULE=f"{__name__}.staff_or_error")
    assert judge(backend, AccessToken.for_user(alice)) is CloseReason.FORBIDDEN
    staff = AccessToken.for_user(user_of("staff", is_staff=True))
    assert judge(backend, staff) is CloseReason.TOKEN_INVALID
    assert caplog.records == []
    root = AccessToken.for_user(user_of("root", is_superuser=True))
    assert judge(backend, root) is CloseReason.UNAVAILABLE
    assert f"{__name__}.staff_or_error" in caplog.text


class PickyUser(TokenUser):
    def __init__(self, token):
        if "tenant" not in token:
            raise drf.AuthenticationFailed
        super().__init__(token)


def test_class_of_stateless_users_refuses_by_what_it_raises(simple_jwt):
    simple_jwt(TOKEN_USER_CLASS=f"{__name__}.PickyUser")
    backend = SimpleJWTBackend(stateless=True)
    assert judge(backend, signed()) is CloseReason.TOKEN_INVALID
    assert judge(backend, signed(tenant="acme")).pk == "1"


def test_changed_password_revokes_where_the_package_looks(backend, alice, simple_jwt):
    simple_jwt(CHECK_REVOKE_TOKEN=True)
    token = AccessToken.for_user(alice)
    assert judge(backend, token) == alice
    alice.set_password("another")
    alice.save()
    assert judge(backend, token) is CloseReason.TOKEN_REVOKED


@pytest.mark.database
def test_changed_password_is_seen_when_sockets_are_asked_about(backend, alice, simple_jwt):
    unlooked = held(backend, AccessToken.for_user(alice))
    simple_jwt(CHECK_REVOKE_TOKEN=True)
    looked = held(backend, AccessToken.for_user(alice))
    (before,) = backend.revalidate([looked])
    assert (outcome(before), before.handle) == (alice, looked.handle)
    assert type(looked.handle) is Secret
    get_user_model().objects.update(password="another")  # which no signal tells
    verdicts = [outcome(verdict) for verdict in backend.revalidate([looked, unlooked])]
    assert verdicts == [CloseReason.TOKEN_REVOKED, alice]


@pytest.mark.database
def test_user_with_another_primary_key_is_found(db, settings):
    settings.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="m@example.com")
    backend = SimpleJWTBackend()
    assert judge(backend, signed(user_id=str(member.pk))) == member
    assert judge(backend, signed(user_id="7")) is CloseReason.TOKEN_INVALID


def test_rubbish_asks_nothing(backend, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert judge(backend, "a.b.c") is None


@pytest.mark.database
def test_blacklisted_sliding_token_is_revoked(alice, simple_jwt, django_assert_num_queries):
    simple_jwt(AUTH_TOKEN_CLASSES=SLIDING)
    good, ended = SlidingToken.for_user(alice), SlidingToken.for_user(alice)
    ended.blacklist()
    for backend, queries in ((SimpleJWTBackend(), 2), (SimpleJWTBackend(stateless=True), 1)):
        with django_assert_num_queries(queries):
            assert str(judge(backend, good).pk) == str(alice.pk)
        assert judge(backend, ended) is CloseReason.TOKEN_REVOKED


def test_blacklist_is_not_asked_where_it_is_not_installed(
    backend, alice, settings, django_assert_num_queries
):
    token = AccessToken.for_user(alice)
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if "blacklist" not in app]
    with django_assert_num_queries(1):
        before = held(backend, token)
    assert backend.revoke([before]) == [False]
    assert backend.revoke_user(alice.pk, except_token_id=None, issued_before=None) is False
    assert backend.announcements() == []


class OwnListToken(BlacklistMixin, AccessToken):
    def check_blacklist(self):
        raise KeyError("asked")


def test_own_check_of_a_sites_own_class_is_asked(backend, alice, simple_jwt):
    simple_jwt(AUTH_TOKEN_CLASSES=[f"{__name__}.OwnListToken"])
    with pytest.raises(KeyError, match="asked"):
        judge(backend, AccessToken.for_user(alice))


def test_stateless_user_is_made_of_the_token(alice, django_assert_num_queries):
    token = AccessToken.for_user(alice)
    token["username"] = "from the token"
    with django_assert_num_queries(0):
        user = judge(SimpleJWTBackend(stateless=True), token)
    assert (type(user), user.pk, user.username) == (TokenUser, str(alice.pk), "from the token")
    assert user.token.token is None, "the consumer would see the credential"


@pytest.mark.parametrize("claim", [..., None, "", [1], True])
def test_stateless_user_needs_a_key(claim):
    assert (
        judge(SimpleJWTBackend(stateless=True), signed(user_id=claim)) is CloseReason.TOKEN_INVALID
    )


@pytest.mark.database
def test_stateless_user_has_no_password_and_no_tokens_of_ours(simple_jwt, db):
    simple_jwt(CHECK_REVOKE_TOKEN=True)
    backend = SimpleJWTBackend(stateless=True)
    user = judge(backend, signed(user_id="of another service"))
    assert user.pk == "of another service"
    assert backend.revoke_user(user.pk, except_token_id=None, issued_before=None) is False


def test_stateless_user_is_known_by_his_key_when_asked_again(alice, django_assert_num_queries):
    backend = SimpleJWTBackend(stateless=True)
    before = held(backend, AccessToken.for_user(alice))
    with django_assert_num_queries(0):
        (verdict,) = backend.revalidate([before])
    assert (verdict.user.pk, verdict.user.is_staff) == (before.user_pk, False)
    assert verdict.authentication == before.authentication


@pytest.mark.database
def test_revalidation_is_two_queries_with_verdicts_in_order(
    backend, alice, simple_jwt, django_assert_num_queries
):
    simple_jwt(AUTH_TOKEN_CLASSES=SLIDING)
    bob, carol = user_of("bob"), user_of("carol")
    listed = SlidingToken.for_user(alice)
    tokens = [AccessToken.for_user(bob), AccessToken.for_user(alice), listed]
    sockets = [held(backend, token) for token in [*tokens, AccessToken.for_user(carol)]]
    listed.blacklist()
    bob.delete()
    get_user_model().objects.filter(pk=carol.pk).update(is_active=False)
    with django_assert_num_queries(2):
        verdicts = [outcome(verdict) for verdict in backend.revalidate(sockets)]
    assert verdicts == [
        CloseReason.TOKEN_REVOKED,
        alice,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
    ]


@pytest.mark.database
def test_end_blacklists_what_has_a_row_and_says_what_has_none(backend, alice, simple_jwt):
    simple_jwt(AUTH_TOKEN_CLASSES=SLIDING)
    sliding, access = SlidingToken.for_user(alice), AccessToken.for_user(alice)
    sockets = [held(backend, access), held(backend, sliding)]
    assert backend.revoke(sockets) == [False, True]
    assert backend.revoke(sockets) == [False, True], "what has ended before has ended"
    assert judge(backend, sliding) is CloseReason.TOKEN_REVOKED
    assert judge(backend, access) == alice


@pytest.mark.database
def test_end_user_blacklists_refresh_and_sliding_tokens(backend, alice):
    tokens = [RefreshToken.for_user(alice), SlidingToken.for_user(alice)]
    kept = [SlidingToken.for_user(alice), RefreshToken.for_user(user_of("bob"))]
    answer = backend.revoke_user(alice.pk, except_token_id=kept[0]["jti"], issued_before=None)
    assert answer is False
    assert _blacklisted_ids() == {token["jti"] for token in tokens}


@pytest.mark.database
def test_end_user_spares_what_was_issued_later(backend, alice):
    rows = OutstandingToken.objects
    moment = datetime.now(UTC)
    old, at, unknown, new = (RefreshToken.for_user(alice)["jti"] for _ in range(4))
    for jti, created in ((old, moment - timedelta(1)), (at, moment), (unknown, None)):
        rows.filter(jti=jti).update(created_at=created)
    rows.filter(jti=new).update(created_at=moment + timedelta(seconds=1))
    backend.revoke_user(alice.pk, except_token_id=None, issued_before=moment)
    assert _blacklisted_ids() == {old, at, unknown}


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_end_user_compares_times_where_the_site_has_naive_ones(backend, alice, settings, zone):
    settings.USE_TZ, settings.TIME_ZONE = False, zone
    before = datetime.now(UTC) - timedelta(minutes=1)
    token = RefreshToken.for_user(alice)
    backend.revoke_user(alice.pk, except_token_id=None, issued_before=before)
    assert not _blacklisted_ids()
    backend.revoke_user(alice.pk, except_token_id=None, issued_before=before + timedelta(minutes=2))
    assert _blacklisted_ids() == {token["jti"]}


def _blacklisted_ids():
    return set(BlacklistedToken.objects.values_list("token__jti", flat=True))


@pytest.mark.database
def test_blacklisting_is_announced_once(backend, alice):
    token = SlidingToken.for_user(alice)
    (announcement,) = backend.announcements()
    heard = []

    def listen(**arguments):
        heard.extend(announcement.tokens(**arguments))

    announcement.signal.connect(listen, sender=announcement.sender)
    row, _ = token.blacklist()
    row.save()
    announcement.signal.disconnect(listen, sender=announcement.sender)
    assert announcement.signal is post_save
    assert heard == [RevokedTokens(user_pk=alice.pk, token_id=token["jti"])]


def test_verdict_shows_no_token(backend, alice):
    token = str(AccessToken.for_user(alice))
    for each in (backend, SimpleJWTBackend(stateless=True)):
        assert token not in repr(each.authenticate([presented(token)]))


def test_schemes_are_those_of_the_package_and_bearer(simple_jwt):
    assert SimpleJWTBackend().schemes == {"bearer"}
    simple_jwt(AUTH_HEADER_TYPES=("JWT",))
    assert SimpleJWTBackend().schemes == {"bearer", "jwt"}
    simple_jwt(AUTH_HEADER_TYPES="Simple")
    assert SimpleJWTBackend().schemes == {"bearer", "simple"}


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


def test_id_that_is_no_name_is_replaced_by_the_digest(backend, alice):
    token = signed(jti="two words", user_id=str(alice.pk))
    (verdict,) = backend.authenticate([presented(token)])
    assert verdict.authentication.token_id == Secret(token).digest


def test_package_as_it_is_installed_passes_the_check(backend):
    assert check(backend) == []
    assert check(SimpleJWTBackend(stateless=True)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"TOKEN_TYPE_CLAIM": None}, "E110"),
        ({"AUTH_TOKEN_CLASSES": [f"{CLASSES}.RefreshToken"]}, "E110"),
        ({"AUTH_TOKEN_CLASSES": [f"{CLASSES}.UntypedToken"]}, "E110"),
        ({"USER_ID_FIELD": "email"}, "E111"),
        ({"USER_ID_FIELD": "nothing"}, "E111"),
        ({"SIGNING_KEY": "short"}, "W110"),
        ({"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 63}, "W110"),
        ({"JWK_URL": "http://id.example.com/jwks", "ALGORITHM": "RS256"}, "E112"),
    ],
)
def test_dangerous_setting_of_the_package_is_named(backend, simple_jwt, changes, expected):
    simple_jwt(**changes)
    (message,) = check(backend)
    assert message.id == f"channels_token_auth.{expected}"
    assert message.hint


@pytest.mark.parametrize("document", [None, {}, {"keys": []}, b"rubbish"])
def test_key_server_that_is_of_no_use_makes_no_token_invalid(backend, alice, simple_jwt, document):
    token = signed(user_id=str(alice.pk), key=rsa_keys()[0], algorithm="RS256", header=KID)
    with jwks_server(document) as server:
        simple_jwt(ALGORITHM="RS256", JWK_URL=server.url)
        if document is None:
            server.status = 500
        assert judge(backend, token) is CloseReason.UNAVAILABLE


@pytest.fixture
def key_server(simple_jwt):
    with jwks_server({"keys": [jwk(rsa_keys()[1], kid="1")]}) as server:
        simple_jwt(ALGORITHM="RS256", JWK_URL=server.url, ISSUER="https://id")
        yield server


def signed_by_issuer(user, kid="1", **claims):
    claims = {"user_id": str(user.pk), "iss": "https://id"} | claims
    return signed(claims, key=rsa_keys()[0], algorithm="RS256", header={"kid": kid})


def test_key_server_of_the_package_is_asked(backend, alice, key_server):
    assert judge(backend, signed_by_issuer(alice)) == alice
    assert judge(backend, signed_by_issuer(alice)) == alice
    assert len(key_server.asked) == 1


def test_key_that_may_have_been_published_since_makes_no_token_invalid(
    backend, alice, key_server, steady
):
    assert judge(backend, signed_by_issuer(alice)) == alice
    key_server.document = {"keys": [jwk(rsa_keys()[1], kid="2")]}
    assert judge(backend, signed_by_issuer(alice, "2")) is CloseReason.UNAVAILABLE
    steady.now += 10
    assert judge(backend, signed_by_issuer(alice, "2")) == alice


def test_key_that_the_key_server_does_not_have_is_left_to_the_next_backend(
    backend, alice, key_server
):
    verdict = verdict_on(backend, signed_by_issuer(alice, "2"))
    assert (outcome(verdict), verdict.detail.slug) == (None, "unknown_key")


def test_known_key_does_not_wait_for_a_key_server_that_hangs(backend, alice, key_server):
    assert judge(backend, signed_by_issuer(alice)) == alice
    key_server.is_open.clear()
    batch = [presented(signed_by_issuer(alice, kid)) for kid in ("2", "1")]
    verdicts = [outcome(each) for each in backend.authenticate(batch)]
    assert verdicts == [CloseReason.UNAVAILABLE, alice]


def test_token_of_another_issuer_does_not_ask_the_key_server(backend, alice, key_server):
    assert judge(backend, signed_by_issuer(alice, "2", iss="https://other")) is None
    assert key_server.asked == []


def test_labels_are_the_session_the_client_and_what_the_site_names(alice):
    token = signed(user_id=str(alice.pk), sid="s1", azp="app", tenant="red", team="blue")
    (verdict,) = SimpleJWTBackend(labels=["tenant"]).authenticate([presented(token)])
    labels = {"sid": "s1", "client_id": "app", "tenant": "red"}
    assert verdict.authentication.labels == labels


def test_labels_are_a_list():
    with pytest.raises(TypeError, match="labels"):
        SimpleJWTBackend(labels="tenant")


@pytest.mark.database
@pytest.mark.parametrize("claim", ["１", " 1", "+1", "0_1", "01"])
def test_user_is_named_by_the_exact_text_of_the_key(backend, alice, claim):
    get_user_model().objects.update(id=1)
    assert judge(backend, signed(user_id=claim)) is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize(
    ("changes", "slug"),
    [
        ({"token_type": "refresh"}, "wrong_type"),
        ({"user_id": "0"}, "unknown_user"),
        ({"exp": ...}, "wrong_type"),
    ],
)
def test_refusal_has_a_reason_for_developers(backend, alice, changes, slug):
    (verdict,) = backend.authenticate([presented(signed(changes))])
    assert verdict.detail.slug == slug


def test_leeway_of_the_package_is_for_clocks_that_are_ahead_too(backend, alice, simple_jwt):
    simple_jwt(LEEWAY=timedelta(seconds=90))
    iat = int(datetime.now(UTC).timestamp()) + 80
    assert judge(backend, signed(user_id=str(alice.pk), iat=iat, exp=iat + 60)) == alice
