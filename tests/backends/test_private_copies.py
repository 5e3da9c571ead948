"""Each socket's user is a copy that shares nothing which one socket can change."""

import threading
import timeit
from dataclasses import dataclass, field

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models.fields.files import FieldFile, FileField
from django.utils.functional import SimpleLazyObject
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.users.private_copies import private_copy

pytestmark = pytest.mark.database


@pytest.fixture
def alice(db):
    user = get_user_model().objects.create_user("alice")
    user.groups.add(Group.objects.create(name="staff"))
    Token.objects.create(user=user)
    return user


VALUES = {
    "json": {"a": [{"b": {"c"}}]},
    "array": [[1], [2]],
    "tuple": ([1],),
    "bytes": bytearray(b"abc"),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_are_equal_and_no_part_is_shared(value):
    user = get_user_model()(pk=1)
    user.prefs = value
    mine = private_copy(user).prefs
    assert mine == value
    assert mine is not value
    inner = mine["a"] if isinstance(mine, dict) else mine[0]
    assert isinstance(inner, int) or inner is not (value["a"] if "a" in value else value[0])


def test_selected_objects_are_copied_and_refer_to_the_copy(alice, django_assert_num_queries):
    token = Token.objects.select_related("user").get()
    user = token.user
    user.auth_token.extra = ["one"]
    with django_assert_num_queries(0):
        mine = private_copy(user)
        mine.auth_token.extra.append("two")
        assert mine.auth_token.user is mine
        mine.auth_token.user.username = "changed"
    assert (user.auth_token.extra, user.username) == (["one"], "alice")


def test_prefetched_objects_are_copied_without_a_query(alice, django_assert_num_queries):
    user = get_user_model().objects.prefetch_related("groups").get()
    with django_assert_num_queries(0):
        mine = private_copy(user)
        (group,) = mine.groups.all()
        group.name = "changed"
        assert [each.name for each in user.groups.all()] == ["staff"]
        assert [each.name for each in mine.groups.all()] == ["changed"]


def test_prefetched_queryset_can_be_refined_without_effect_on_the_other(alice):
    user = get_user_model().objects.prefetch_related("groups").get()
    mine = private_copy(user)
    assert mine.groups.filter(name="none").count() == 0
    assert len(user.groups.all()) == len(mine.groups.all()) == 1


def test_file_of_the_copy_belongs_to_the_copy():
    user = get_user_model()(pk=1)
    user.avatar = FieldFile(user, FileField(name="avatar"), "a.png")
    assert private_copy(user).avatar.instance.pk == 1
    assert private_copy(user).avatar.instance is not user


def test_lock_is_shared_and_what_is_beside_it_is_not():
    class Client:
        def __init__(self):
            self.lock, self.seen = threading.Lock(), []

    user = get_user_model()(pk=1)
    user.client = Client()
    mine = private_copy(user)
    mine.client.seen.append(1)
    assert (mine.client.lock is user.client.lock, user.client.seen) == (True, [])


def test_lazy_object_is_not_loaded():
    user = get_user_model()(pk=1)
    user.profile = SimpleLazyObject(lambda: pytest.fail("loaded"))
    assert type(private_copy(user).profile) is SimpleLazyObject


@dataclass
class Claimed:
    pk: str
    claims: dict = field(default_factory=dict)


def test_user_that_is_no_model_shares_no_claims():
    user = Claimed("1", {"roles": ["a"]})
    mine = private_copy(user)
    mine.claims["roles"].append("b")
    assert user.claims == {"roles": ["a"]}


def test_copy_of_a_plain_user_costs_no_more_than_a_few_microseconds(alice):
    user = get_user_model().objects.get()
    seconds = min(timeit.repeat(lambda: private_copy(user), number=1000, repeat=5))
    assert seconds / 1000 < 50e-6  # about 3 µs on an idle machine
