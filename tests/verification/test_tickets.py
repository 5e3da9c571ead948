"""Tickets: redeemed once, by whom they were issued to, while what they stand for stands."""

import json
import logging
import string
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.conf import BackendSpec
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.verification.authenticator import Authenticator, build_backend
from channels_token_auth.verification.binding import bindings
from channels_token_auth.verification.denylist import CacheUnavailable
from channels_token_auth.verification.tickets import LIFETIME, Tickets

from .backends import FakeBackend, credential

ORIGIN = "https://app.example.com"
URL_SAFE = set(string.ascii_letters + string.digits + "-_")
SOON = datetime.now(UTC) + timedelta(hours=1)


class FailingCache(LocMemCache):
    """A cache that is away where it is told to be."""

    away: frozenset[str] = frozenset()

    def get_many(self, keys, version=None):
        self._fail("get_many")
        return super().get_many(keys, version)

    def add(self, *args, **kwargs):
        self._fail("add")
        return "full" not in self.away and super().add(*args, **kwargs)

    def delete(self, key, version=None):
        self._fail("delete")
        return super().delete(key, version)

    def _fail(self, operation):
        if operation in self.away:
            raise ConnectionError("connection refused")


class Parent(FakeBackend):
    """Stands by all that it let in, unless it was told otherwise of a token."""

    def __init__(self, name="fake", **answers):
        super().__init__(name=name)
        self.answers = answers
        self.asked = []

    def revalidate(self, held):
        self.asked.append(held)
        for each in held:
            if isinstance(self.answers.get(each.authentication.token_id), Exception):
                raise self.answers[each.authentication.token_id]
        return [self._standing(each) for each in held]

    def _standing(self, held):
        match self.answers.get(held.authentication.token_id, "stands"):
            case "stands":
                user = get_user_model()(pk=held.user_pk)
                return Identity(user=user, authentication=held.authentication)
            case CloseReason() as code:
                return TokenAuthError(code)
            case other:
                return other


@pytest.fixture(autouse=True)
def cache(settings, monkeypatch):
    """A cache of this test's own, whose failures it decides."""
    backend = f"{__name__}.FailingCache"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        "tickets": {"BACKEND": backend, "LOCATION": "tickets"},
    }
    yield caches["tickets"]
    monkeypatch.undo()
    caches["tickets"].clear()


@pytest.fixture
def fail(monkeypatch):
    return lambda *operations: monkeypatch.setattr(FailingCache, "away", frozenset(operations))


def identity(token_id="t", backend="fake", **fields):
    authentication = Authentication(
        backend=backend, token_id=token_id, location=Location.HEADER, **fields
    )
    return Identity(user=get_user_model()(pk=7), authentication=authentication)


def presented(ticket, origin=None):
    return Credential(location=Location.TICKET, secret=Secret(ticket), origin=origin)


def judge(credentials, *backends):
    """The codes of the refused, and the identities of the others, by way of the authenticator."""
    authenticator = Authenticator(backends or [Parent()], timeout=60, cache="tickets")
    verdicts = authenticator.chain.authenticate(credentials)
    return [v.code if isinstance(v, TokenAuthError) else v for v in verdicts]


def issue(of=None, origin=None):
    return Tickets([], cache="tickets").issue(of or identity(), origin=origin)


def test_ticket_brings_its_parents_user_and_authentication():
    parent = identity(scopes=frozenset({"a", "b"}), issued_at=SOON, expires_at=SOON)
    (redeemed,) = judge([presented(issue(parent))])
    assert redeemed.user.pk == 7
    assert redeemed.authentication == replace(parent.authentication, location=Location.TICKET)


def test_ticket_of_another_services_user_brings_the_key_that_only_that_one_knows():
    stateless = identity()
    stateless.user.pk = "2b61-of-elsewhere"
    (verdict,) = judge([presented(issue(stateless))])
    assert verdict.user.pk == "2b61-of-elsewhere"


def test_ticket_of_a_token_that_is_another_users_by_now_is_revoked():
    successor = Identity(user=get_user_model()(pk=8), authentication=identity("t").authentication)
    assert judge([presented(issue())], Parent(t=successor)) == [CloseReason.TOKEN_REVOKED]


@pytest.mark.asvs("1.2.2", "7.2.3")
def test_ticket_is_at_least_128_random_bits_and_needs_no_escape():
    tickets = {issue() for _ in range(20)}
    assert len(tickets) == 20
    assert all(len(ticket) >= 22 and set(ticket) <= URL_SAFE for ticket in tickets)


@pytest.mark.asvs("14.2.2")
def test_cache_holds_neither_the_ticket_nor_what_opens_a_socket_and_fits_into_json(cache):
    ticket = issue()
    ((key, _),) = cache._cache.items()
    (entry,) = cache.get_many([key.removeprefix(":1:")]).values()
    assert ticket not in key + json.dumps(entry)


HANDLES = [
    "handle-of-a-row",
    Secret("handle-of-a-row"),
    Credential(location=Location.COOKIE, secret=Secret("handle-of-a-row"), scheme="bearer"),
]


@pytest.mark.parametrize("handle", HANDLES, ids=["text", "secret", "credential"])
@pytest.mark.asvs("14.2.2")
def test_parent_gets_its_handle_back_and_the_cache_cannot_read_it(cache, handle):
    ticket, parent = issue(replace(identity(), handle=handle)), Parent()
    (pickled,) = cache._cache.values()
    assert b"handle-of-a-row" not in pickled
    (redeemed,) = judge([presented(ticket)], parent)
    assert [each.handle for (each,) in parent.asked] == [handle]
    assert redeemed.handle == handle


def test_handle_that_is_no_plain_value_stays_in_its_process():
    parent = Parent()
    judge([presented(issue(replace(identity(), handle=object())))], parent)
    assert [each.handle for (each,) in parent.asked] == [None]


def test_handle_that_somebody_changes_in_the_cache_opens_nothing(cache):
    ticket, parent = issue(replace(identity(), handle="a handle")), Parent()
    ((key, _),) = cache._cache.items()
    name = key.removeprefix(":1:")
    entry = cache.get(name)
    signature, _, sealed = entry["handle"].partition(".")
    changed = f"{int(sealed, 16) ^ 1:0{len(sealed)}x}"
    cache.set(name, entry | {"handle": f"{signature}.{changed}"}, LIFETIME)
    assert judge([presented(ticket)], parent) == [CloseReason.UNAVAILABLE]
    assert parent.asked == []


CHANGES = {
    "backend": "another",
    "user_pk": "8",
    "user_kind": "foreign",
    "token_id": "another",
    "scopes": ["admin"],
    "issued_at": SOON.isoformat(),
    "expires_at": SOON.isoformat(),
    "auth_time": SOON.isoformat(),
    "labels": {"sid": "s"},
    "acr": "high",
    "issuer": "https://another.test",
    "tenant": "another",
    "origin": "https://another.test",
    "bound_to": "another",
    "slot": "another",
    "handle": "7",
}


@pytest.mark.parametrize("name", CHANGES)
def test_value_that_somebody_changes_in_the_cache_opens_nothing(cache, name):
    ticket, parent = issue(), Parent()
    ((key, _),) = cache._cache.items()
    key = key.removeprefix(":1:")
    entry = cache.get(key)
    assert {*CHANGES, "site"} == set(entry), "each of them is signed"
    cache.set(key, entry | {name: CHANGES[name]}, LIFETIME)
    assert judge([presented(ticket)], parent) == [CloseReason.UNAVAILABLE]
    assert parent.asked == []


def test_entry_that_somebody_copies_from_another_ticket_opens_nothing(cache):
    stolen, ours = issue(identity("victim")), issue()
    keys = [key.removeprefix(":1:") for key in cache._cache]
    one, two = (cache.get(key) for key in keys)
    for key, entry in zip(keys, (two, one), strict=True):
        cache.set(key, entry, LIFETIME)
    assert judge([presented(stolen), presented(ours)]) == [CloseReason.UNAVAILABLE] * 2


def test_entry_that_a_cache_stores_as_json_opens(cache):
    labels = MappingProxyType({"sid": "s", "client_id": "c"})  # as a site's backend may have them
    parent = identity(scopes=frozenset({"b", "a"}), issued_at=SOON, labels=labels)
    ticket = issue(replace(parent, handle=Secret("a handle")), ORIGIN)
    ((key, _),) = cache._cache.items()
    key = key.removeprefix(":1:")
    cache.set(key, json.loads(json.dumps(cache.get(key), sort_keys=True)), LIFETIME)
    (redeemed,) = judge([presented(ticket, ORIGIN)])
    assert redeemed.authentication == replace(parent.authentication, location=Location.TICKET)


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: entry | {"handle": "x"},
        lambda entry: entry | {"handle": 7},
        lambda entry: entry | {"scopes": 7},
        lambda _: "a text",
    ],
)
def test_entry_that_somebody_changes_does_not_affect_other_tickets_of_the_batch(cache, change):
    """A ticket that is used up must not be looked up again."""
    spoiled = issue(replace(identity(), handle="a handle"))
    ((key, _),) = cache._cache.items()
    name = key.removeprefix(":1:")
    cache.set(name, change(cache.get(name)), LIFETIME)
    others = [presented(issue(origin=ORIGIN), "https://another"), presented(issue(identity("u")))]
    first, second, third = judge([others[0], presented(spoiled), others[1]])
    assert (first, second) == (CloseReason.FORBIDDEN, CloseReason.UNAVAILABLE)
    assert third.authentication.token_id == "u"


def test_two_tickets_of_one_token_share_no_sealed_text(cache):
    for _ in range(2):
        issue(replace(identity(), handle="a handle"))
    names = [name.removeprefix(":1:") for name in cache._cache]
    one, two = (each["handle"].partition(".")[2] for each in cache.get_many(names).values())
    assert one != two


def test_ticket_is_redeemed_once():
    ticket = presented(issue())
    assert isinstance(judge([ticket])[0], Identity)
    assert judge([ticket]) == [CloseReason.TOKEN_INVALID]


def test_ticket_that_comes_twice_in_one_batch_is_redeemed_once():
    ticket = presented(issue())
    first, *others = judge([ticket] * 5)
    assert isinstance(first, Identity)
    assert others == [CloseReason.TOKEN_INVALID] * 4


def test_ticket_that_somebody_redeems_meanwhile_is_invalid(cache):
    ticket = issue()

    class Slow(Parent):
        def revalidate(self, held):
            cache.clear()
            return super().revalidate(held)

    assert judge([presented(ticket)], Slow()) == [CloseReason.TOKEN_INVALID]


def test_unknown_ticket_is_invalid_and_asks_nobody():
    parent = Parent()
    assert judge([presented("unknown")], parent) == [CloseReason.TOKEN_INVALID]
    assert (parent.asked, parent.batches) == ([], [])


@pytest.mark.asvs("4.4.3", "14.2.7")
def test_ticket_lives_for_30_seconds(cache):
    ticket = presented(issue())
    ((key, expires_at),) = cache._expire_info.items()
    assert 20 < expires_at - time.time() <= LIFETIME == 30
    cache._expire_info[key] = time.time()
    assert judge([ticket]) == [CloseReason.TOKEN_INVALID]


@pytest.mark.parametrize("origin", [None, "null", "https://other.example.com", ORIGIN + ":8443"])
def test_ticket_of_a_page_is_forbidden_to_others_and_then_used_up(origin):
    ticket, parent = issue(origin=ORIGIN), Parent()
    assert judge([presented(ticket, origin)], parent) == [CloseReason.FORBIDDEN]
    assert judge([presented(ticket, ORIGIN)], parent) == [CloseReason.TOKEN_INVALID]
    assert parent.asked == []


@pytest.mark.parametrize(("bound", "origin"), [(ORIGIN, ORIGIN), (None, ORIGIN), (None, None)])
def test_ticket_is_for_its_page_and_for_any_where_no_page_asked(bound, origin):
    (redeemed,) = judge([presented(issue(origin=bound), origin)])
    assert isinstance(redeemed, Identity)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (CloseReason.TOKEN_REVOKED, CloseReason.TOKEN_REVOKED),
        (CloseReason.USER_INACTIVE, CloseReason.USER_INACTIVE),
        (CloseReason.TOKEN_EXPIRED, CloseReason.TOKEN_EXPIRED),
        (None, CloseReason.TOKEN_REVOKED),
    ],
)
def test_ticket_whose_parent_fell_is_refused_as_the_parent_is_and_used_up(answer, code):
    ticket = presented(issue())
    assert judge([ticket], Parent(t=answer)) == [code]
    assert judge([ticket]) == [CloseReason.TOKEN_INVALID]


def test_ticket_of_a_parent_that_has_expired_meanwhile_is_expired():
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert judge([presented(issue(identity(expires_at=past)))]) == [CloseReason.TOKEN_EXPIRED]


def test_ticket_of_a_backend_that_the_route_has_not_is_invalid():
    assert judge([presented(issue())], Parent(name="other")) == [CloseReason.TOKEN_INVALID]


def test_each_backend_is_asked_once_about_its_own_tickets_of_a_batch():
    one, two = Parent(name="one"), Parent(name="two", b=CloseReason.TOKEN_REVOKED)
    issued = [identity("a", "one"), identity("b", "two"), identity("c", "one")]
    first, second, third = judge([presented(issue(each)) for each in issued], one, two)
    assert [first.authentication.token_id, second, third.authentication.token_id] == [
        *("a", CloseReason.TOKEN_REVOKED, "c")
    ]
    assert [len(held) for held in one.asked] == [2]
    assert one.batches == two.batches == []


def test_credential_that_is_no_ticket_never_reaches_the_tickets(fail):
    fail("get_many")
    assert judge([credential("t0ken")], FakeBackend()) == [CloseReason.TOKEN_INVALID]


def test_parent_whose_store_is_away_leaves_the_ticket_unused():
    ticket = presented(issue())
    assert judge([ticket], Parent(t=OperationalError("gone"))) == [CloseReason.UNAVAILABLE]
    assert isinstance(judge([ticket])[0], Identity)


def test_one_parent_that_chokes_does_not_cost_the_other_tickets_of_its_batch():
    tickets = [presented(issue(identity(token_id))) for token_id in ("good", "bad")]
    first, second = judge(tickets, Parent(bad=ValueError("choked")))
    assert isinstance(first, Identity)
    assert second is CloseReason.UNAVAILABLE


def test_cache_that_is_away_is_unavailable_for_all_and_logged_once(fail, caplog):
    tickets = [presented(issue()), presented(issue())]
    fail("get_many")
    assert judge(tickets) == [CloseReason.UNAVAILABLE, CloseReason.UNAVAILABLE]
    assert len(caplog.records) == 2  # the outage of the cache, and the batch


def test_cache_that_goes_away_before_the_redemption_is_unavailable_and_logged(fail, caplog):
    ticket = issue()
    fail("delete")
    assert judge([presented(ticket)]) == [CloseReason.UNAVAILABLE]
    levels = {(each.levelno, each.exc_info) for each in caplog.records}
    assert levels == {(logging.ERROR, None)}
    assert "connection refused" in caplog.text
    assert ticket not in caplog.text


@pytest.mark.parametrize(
    ("operation", "error"), [("add", ConnectionError), ("full", CacheUnavailable)]
)
def test_ticket_that_the_cache_did_not_take_is_not_issued(fail, operation, error):
    fail(operation)
    with pytest.raises(error):
        issue()


@pytest.fixture
def ada(db):
    return get_user_model().objects.create_user("ada", password="first")


def change_password(user):
    user.set_password("second")
    user.save()


@pytest.mark.database
def test_ticket_of_a_drf_token_outlives_the_password_but_not_the_token(ada):
    backend = DRFTokenBackend()
    token = Token.objects.create(user=ada)
    secret = Credential(location=Location.HEADER, secret=Secret(token.key))
    tickets = [presented(issue(backend.authenticate([secret])[0])) for _ in range(2)]
    change_password(ada)
    assert judge(tickets[:1], backend)[0].user == ada
    token.delete()
    assert judge(tickets[1:], backend) == [CloseReason.TOKEN_REVOKED]


def test_ticket_of_another_site_on_the_same_cache_is_unknown(settings):
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another site's"
    ticket = issue()
    settings.SECRET_KEY = key
    assert judge([presented(ticket)]) == [CloseReason.TOKEN_INVALID]


def test_ticket_survives_the_rotation_of_the_secret_key(settings):
    ticket = issue()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "the new one"
    assert isinstance(judge([presented(ticket)])[0], Identity)


@pytest.mark.parametrize("changed", [{"issuer": "https://b.test"}, {"required_claims": ["org"]}])
def test_ticket_opens_no_route_whose_backend_has_other_options(changed):
    options = {"algorithms": ["HS256"], "key": "k" * 32, "issuer": "https://a.test"}
    path = "channels_token_auth.backends.jwt.JWTBackend"
    one, same, other = (
        build_backend(BackendSpec(path=path, options=each))
        for each in (options, dict(options), options | changed)
    )
    ticket = Tickets([one], cache="tickets").issue(identity(backend="jwt"), origin=None)
    assert judge([presented(ticket)], other) == [CloseReason.TOKEN_INVALID]
    assert bindings(one) == bindings(same)
