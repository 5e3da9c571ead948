"""The user of a token: who may pass, and whose object it is."""

import copy

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.users import admit
from channels_token_auth.backends.sources.users.private_copies import private_copy
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.identity import Identity

AUTHENTICATION = Authentication(backend="fake", token_id="0", location=Location.HEADER)


@pytest.fixture
def alice(db):
    user = get_user_model().objects.create(username="alice")
    return get_user_model().objects.get(pk=user.pk)


def test_an_active_user_is_admitted(alice):
    admitted = admit(alice, AUTHENTICATION)
    assert admitted == Identity(user=alice, authentication=AUTHENTICATION)


def test_a_handle_is_in_the_identity_and_not_in_its_repr(alice):
    admitted = admit(alice, AUTHENTICATION, "the backend's own affair")
    assert admitted.handle == "the backend's own affair"
    assert "affair" not in repr(admitted)


def test_an_inactive_user_is_refused_as_such(alice):
    alice.is_active = False
    assert admit(alice, AUTHENTICATION).code is CloseReason.USER_INACTIVE


@pytest.mark.parametrize("user", [None, get_user_model()(username="nobody")])
def test_a_token_of_nobody_is_refused(user):
    assert admit(user, AUTHENTICATION).code is CloseReason.TOKEN_INVALID


def test_a_copy_is_what_copy_makes_of_a_model(alice):
    mine, theirs = private_copy(alice), copy.copy(alice)
    assert type(mine) is type(theirs)
    del theirs._django_version  # which pickling adds
    assert vars(mine) | {"_state": 0} == vars(theirs) | {"_state": 0}
    assert mine._state.fields_cache == {}  # Django makes it at the first look
    assert vars(mine._state) == vars(theirs._state)


def test_a_copy_shares_nothing_that_one_sets(alice):
    mine = private_copy(alice)
    mine.username, mine._state.db = "changed", "other"
    mine.friend = True
    assert (alice.username, alice._state.db) == ("alice", "default")
    assert not hasattr(alice, "friend")


def test_a_copy_shares_no_related_objects(alice):
    token = Token.objects.create(user=alice)
    mine = private_copy(token)
    mine.user = get_user_model()(username="bob")
    assert token.user == alice


def test_a_copy_saves_the_same_row(alice):
    mine = private_copy(alice)
    mine.groups.add(Group.objects.create(name="staff"))
    mine.first_name = "Alice"
    mine.save()
    alice.refresh_from_db()
    assert (alice.first_name, alice.groups.count()) == ("Alice", 1)


def test_a_user_that_is_no_model_is_copied_too():
    nobody = AnonymousUser()
    mine = private_copy(nobody)
    mine.name = "changed"
    assert type(mine) is AnonymousUser
    assert not hasattr(nobody, "name")


class Reaching:
    """As the users of stateless tokens do: what they lack, they look for in the token."""

    def __init__(self):
        self.token = {"name": "alice"}

    def __getattr__(self, name):
        return self.token[name]


def test_a_user_that_looks_into_its_token_is_copied_too():
    assert private_copy(Reaching()).name == "alice"


class Slotted:
    __slots__ = ("name",)


def test_a_user_with_slots_is_copied_too():
    user = Slotted()
    user.name = "alice"
    mine = private_copy(user)
    mine.name = "changed"
    assert user.name == "alice"
