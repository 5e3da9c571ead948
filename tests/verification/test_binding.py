"""A ticket's binding: the same for equal backends in every process, and another for others."""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from uuid import UUID

import pytest

from channels_token_auth import BaseTokenBackend
from channels_token_auth.verification.binding import bindings, note_options


class Own(BaseTokenBackend):
    name = "own"

    def authenticate(self, credentials):
        return [None for _ in credentials]

    revalidate = authenticate


class Other(Own):
    pass


class Issuer:
    """An object that a site gives its own backend as an option."""

    def __init__(self, name):
        self.name = name


class Slotted:
    __slots__ = ()
    name = "own"


def user(claims):
    return claims


def other_user(claims):
    return claims


def bound(options, kind=Own):
    backend = kind()
    note_options(backend, options)
    return bindings(backend)


@pytest.mark.parametrize(
    ("options", "others"),
    [
        ({"key": b"a"}, {"key": b"b"}),
        ({"key": b"a"}, {"key": "a"}),
        ({"audiences": {"a", "b"}}, {"audiences": {"a"}}),
        ({"user": user}, {"user": other_user}),
        ({"user": Own}, {"user": Other}),
        ({"nested": {"key": b"a"}}, {"nested": {"key": b"b"}}),
        ({1: "a", "b": "c"}, {1: "a", "b": "d"}),
        ({"id": UUID(int=1)}, {"id": UUID(int=2)}),
        ({"keys": Path("/a")}, {"keys": Path("/b")}),
        ({"issuers": re.compile("a")}, {"issuers": re.compile("b")}),
        ({"user": partial(user, "a")}, {"user": partial(user, "b")}),
        ({"by": Issuer("a")}, {"by": Issuer("b")}),
        ({"nested": [{"by": Issuer("a")}]}, {"nested": [{"by": Issuer("b")}]}),
        ({"issuers": {"a": 1, "by": Own}}, {"issuers": {"a": 1, "by": Other}}),
    ],
)
def test_options_that_differ_bind_to_another_backend(options, others):
    assert bound(options) == bound(dict(options))
    assert bound(options) != bound(others)


def test_order_of_options_and_of_sets_binds_to_the_same_backend():
    one = {"a": frozenset({"x", "y"}), "b": 1}
    assert bound(one) == bound({"b": 1, "a": {"y", "x"}})


def test_object_binds_by_its_class_since_its_repr_differs_in_each_process():
    assert bound({"by": object()}) == bound({"by": object()})


def test_equal_objects_bind_to_the_same_backend():
    assert bound({"by": Issuer("a")}) == bound({"by": Issuer("a")})
    assert bound({"by": UUID(int=1)}) == bound({"by": UUID(int=1)})


def test_object_that_contains_itself_binds_by_its_class():
    one, other = Issuer("a"), Issuer("b")
    one.name, other.name = one, other
    assert bound({"by": one}) == bound({"by": other})
    assert bound({"by": one, "key": "a"}) != bound({"by": other, "key": "b"})


def test_object_that_cannot_be_copied_binds_by_its_class():
    assert bound({"by": Lock()}) == bound({"by": Lock()})
    one, other = ({"lock": Lock(), "by": Issuer(name)} for name in "ab")
    assert bound(one) != bound(other), "the other options count as before"


def test_mapping_that_is_no_dict_binds_as_one():
    assert bound({"map": MappingProxyType({"a": b"1"})}) == bound({"map": {"a": b"1"}})


def test_default_name_that_is_given_binds_to_the_same_backend():
    assert bound({"name": "own"}) == bound({}) == bindings(Own())


def test_classes_bind_apart():
    assert bound({}, Own) != bound({}, Other)


def test_backend_with_slots_binds_by_class_and_name():
    assert bound({"key": "a"}, Slotted) == bound({"key": "b"}, Slotted)


PRINT = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from tests.verification.test_binding import Issuer, bound, user
print(bound({"scopes": {"a", "b", "c"}, "key": b"k", "user": user, "by": Issuer({"a", "b"})}))
"""


def test_binding_is_the_same_in_another_process():
    command = [sys.executable, "-c", PRINT]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    options = {"scopes": {"c", "b", "a"}, "key": b"k", "user": user, "by": Issuer({"b", "a"})}
    assert printed.strip() == str(bound(options))
