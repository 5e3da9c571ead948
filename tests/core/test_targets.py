"""Which sockets a target means, and that it says the same when it has travelled."""

import json
from dataclasses import fields
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.revocation import Revocation, Target

SOCKET = {
    "user_id": "1",
    "user_kind": "auth.user",
    "backend": "drf",
    "issuer": "https://a",
    "token_id": "t1",
    "labels": {"sid": "s", "azp": "app"},
    "issued_at": 100.0,
    "verified_at": 101.0,
    "connection_id": "node.1",
    "address": "192.0.2.1",
}
NAMED = {name: value for name, value in SOCKET.items() if isinstance(value, str)}

few = st.none() | st.sampled_from(["1", "2"])
times = st.none() | st.sampled_from([1.0, 2.0])
labels = st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=2)
targets = st.builds(
    Target,
    user_id=few,
    user_kind=few,
    backend=few,
    issuer=few,
    labels=labels.map(lambda each: frozenset(each.items())),
    token_id=few,
    except_token_id=few,
    issued_before=times,
    connection_id=few,
    address=few,
)
described = st.builds(
    SimpleNamespace,
    user_id=few,
    user_kind=few,
    backend=few,
    issuer=few,
    labels=labels,
    verified_at=times,
    token_id=few,
    issued_at=times,
    connection_id=few,
    address=few,
)


def socket(**values):
    return SimpleNamespace(**SOCKET | values)


def test_target_that_names_nothing_means_all():
    assert Target().matches(socket())


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_has_to_be_so(name):
    target = Target(**{name: NAMED[name]})
    assert target.matches(socket())
    assert not target.matches(socket(**{name: "another"}))


def test_everything_named_has_to_be_so_at_once():
    assert not Target(user_id="1", address="another").matches(socket())


def test_all_labels_have_to_be_the_sockets():
    assert Target(labels=frozenset({("sid", "s")})).matches(socket())
    for others in ({("sid", "t")}, {("sid", "s"), ("org", "o")}, {("azp", "s")}):
        assert not Target(labels=frozenset(others)).matches(socket())


def test_labels_have_travelled():
    target = Target(labels=frozenset(SOCKET["labels"].items()))
    assert target.to_message() == {"labels": [["azp", "app"], ["sid", "s"]]}
    assert Target.from_message(json.loads(json.dumps(target.to_message()))) == target


@pytest.mark.parametrize("name", ["user_id", "user_kind", "token_id", "backend", "issuer"])
def test_anonymous_socket_is_nobodys(name):
    anonymous = socket(**dict.fromkeys(NAMED), labels={}, issued_at=None)
    assert not Target(**{name: "1"}).matches(anonymous)


def test_excepted_token_stays():
    target = Target(user_id="1", except_token_id="t1")
    assert not target.matches(socket())
    assert target.matches(socket(token_id="t2"))


@pytest.mark.parametrize("name", ["backend", "issuer"])
def test_token_with_the_excepted_id_of_another_origin_is_meant(name):
    target = Target(except_token_id="t1", except_backend=SOCKET["backend"], except_issuer="i")
    own = {"issuer": "i"}
    assert not target.matches(socket(**own))
    assert target.matches(socket(**own | {name: "another"}))


@pytest.mark.parametrize("text", ["login:7", "t", "é", "0" * 31])
def test_digest_of_an_id_names_the_token_too(text):
    name = Secret(text).digest
    assert Target(token_id=name).matches(socket(token_id=text))
    assert not Target(except_token_id=name).matches(socket(token_id=text))
    assert not Target(token_id=name).matches(socket(token_id=f"{text}-"))


def test_digest_of_an_id_of_that_shape_is_another_token():
    token_id = Secret("key").digest
    assert not Target(token_id=Secret(token_id).digest).matches(socket(token_id=token_id))


@pytest.mark.parametrize(
    ("issued_at", "verified_at", "is_meant"),
    [
        (99.0, None, True),
        (100.0, None, False),
        (101.0, 99.0, True),
        (101.0, 102.0, False),
        (None, None, True),
    ],
)
def test_token_issued_before_a_moment_is_meant(issued_at, verified_at, is_meant):
    one = socket(issued_at=issued_at, verified_at=verified_at)
    assert Target(issued_before=100.0).matches(one) is is_meant


def test_every_field_of_a_target_is_among_those_that_travel():
    built = {
        "user_id": "1",
        "user_kind": "a",
        "backend": "b",
        "issuer": "i",
        "token_id": "t",
        "except_token_id": "e",
        "except_backend": "b",
        "except_issuer": "i",
        "labels": frozenset({("sid", "s")}),
        "issued_before": 1.0,
        "except_backends": frozenset({"drf"}),
        "connection_id": "c",
        "address": "192.0.2.1",
    }
    assert {each.name for each in fields(Target)} == built.keys()
    target = Target(**built)
    assert set(target.to_message()) == built.keys()
    assert Target.from_message(json.loads(json.dumps(target.to_message()))) == target


@given(targets, st.sampled_from(CloseReason), times)
def test_revocation_survives_its_message(target, code, deadline):
    revocation = Revocation(target=target, code=code, deadline=deadline)
    assert Revocation.from_message(json.loads(json.dumps(revocation.to_message()))) == revocation


def test_message_holds_what_is_named_only():
    assert Target(user_id="1").to_message() == {"user_id": "1"}


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"target": {}},
        {"target": {"from_the_future": 1}, "code": "token_revoked"},
        {"target": {}, "code": "from_the_future"},
        {"target": None, "code": "token_revoked"},
    ],
)
def test_message_of_another_version_is_an_error(message):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Revocation.from_message(message)


@given(targets, targets, described)
def test_target_that_covers_another_means_all_that_it_means(one, other, any_socket):
    if one.covers(other) and other.matches(any_socket):
        assert one.matches(any_socket)


@given(targets)
def test_target_without_exception_covers_itself(target):
    if target.except_token_id is None:
        assert target.covers(target)


def test_user_covers_his_tokens_but_the_excepted_one():
    user = Target(user_id="1", except_token_id="t1")
    assert user.covers(Target(user_id="1", token_id="t2"))
    assert not user.covers(Target(user_id="1", token_id="t1"))
    assert not user.covers(Target(user_id="1"))
    assert not user.covers(Target(user_id="2", token_id="t2"))


def test_ending_covers_none_of_another_code():
    user = Revocation(target=Target(user_id="1"), code=CloseReason.TOKEN_REVOKED)
    token = Target(user_id="1", token_id="t1")
    assert user.covers(Revocation(target=token, code=CloseReason.TOKEN_REVOKED))
    assert not user.covers(Revocation(target=token, code=CloseReason.USER_INACTIVE))


def test_target_spares_backends_and_says_so_when_it_has_travelled():
    spared = frozenset({"drf", "knox"})
    target = Target(user_id="1", except_backends=spared)
    travelled = Target.from_message(json.loads(json.dumps(target.to_message())))
    assert travelled == target
    assert not target.matches(SimpleNamespace(**SOCKET))
    assert target.matches(SimpleNamespace(**SOCKET | {"backend": "jwt"}))


@pytest.mark.parametrize(
    ("other", "is_covered"),
    [
        (Target(user_id="1"), False),
        (Target(user_id="1", backend="drf"), False),
        (Target(user_id="1", backend="jwt"), True),
        (Target(user_id="1", except_backends=frozenset({"drf", "knox"})), True),
        (Target(user_id="1", except_backends=frozenset({"knox"})), False),
    ],
)
def test_target_that_spares_a_backend_covers_others_only(other, is_covered):
    assert Target(user_id="1", except_backends=frozenset({"drf"})).covers(other) is is_covered
