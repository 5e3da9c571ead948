"""The value in `scope["auth"]`."""

import copy
import dataclasses
import pickle
from datetime import UTC, datetime

import pytest

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location


@pytest.fixture
def authentication():
    return Authentication(backend="drf", token_id="0123", location=Location.HEADER)


def test_token_without_scopes_or_times_says_so(authentication):
    assert authentication.scopes == frozenset()
    assert authentication.issued_at is None
    assert authentication.expires_at is None


def test_application_cannot_change_it(authentication):
    with pytest.raises(dataclasses.FrozenInstanceError):
        authentication.scopes = frozenset({"admin"})


def test_it_has_no_field_for_a_secret():
    fields = {field.name for field in dataclasses.fields(Authentication)}
    assert fields == {
        *("backend", "token_id", "location", "scopes", "issued_at", "expires_at"),
        *("labels", "acr", "auth_time", "issuer", "tenant"),
    }


def test_equal_authentications_with_labels_have_equal_hashes(authentication):
    one, other = (dataclasses.replace(authentication, labels={"sid": "1"}) for _ in range(2))
    assert (one, hash(one)) == (other, hash(other))


def test_authentications_without_labels_share_a_mapping_that_nobody_can_change(authentication):
    labels = authentication.labels
    assert labels is Authentication(backend="b", token_id="t", location=Location.HEADER).labels
    assert (labels, {**labels}, repr(labels)) == ({}, {}, "{}")
    with pytest.raises(TypeError):
        labels["sid"] = "1"


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_authentication_can_be_copied(authentication, copied):
    assert copied(authentication) == authentication
    assert dataclasses.asdict(authentication)["labels"] == {}


@pytest.mark.parametrize(("now", "left"), [(99.5, 0.5), (100.0, 0.0), (101.0, -1.0)])
def test_expiry_is_decided_at_the_very_moment(authentication, now, left):
    expiring = dataclasses.replace(authentication, expires_at=datetime.fromtimestamp(100, UTC))
    assert expiring.expires_in(now) == left
    assert expiring.is_expired(now) is (left <= 0)


def test_token_without_expiry_never_expires(authentication):
    assert authentication.expires_in(2.0**40) is None
    assert not authentication.is_expired(2.0**40)
