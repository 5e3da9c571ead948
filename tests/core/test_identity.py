"""A user is identified by kind and key: whoever shares the key alone is somebody else."""

from types import SimpleNamespace

import pytest

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.identity import (
    FOREIGN,
    Identity,
    UserKey,
    is_foreign,
    is_of_kind,
    of_tenant,
    without_tenant,
)


def model(name, *bases, **options):
    """A class that looks like one of Django's models."""
    options = {"label_lower": f"app.{name.lower()}", "abstract": False, "proxy": False} | options
    return type(name, bases, {"_meta": SimpleNamespace(**options), "pk": 1})


User = model("User")
Base = model("Base", abstract=True)


def key(user, backend="jwt", **fields):
    authentication = Authentication(
        backend=backend, token_id="t", location=Location.HEADER, **fields
    )
    return Identity(user=user, authentication=authentication).user_key


def test_local_user_is_of_their_models_kind_whatever_the_token_is():
    assert (
        key(User()) == key(User(), "drf", issuer="https://a") == UserKey(kind="app.user", key="1")
    )


def test_users_of_two_models_differ():
    assert key(User()) != key(model("Customer")())


@pytest.mark.parametrize(
    "extended", [model("Proxy", User, proxy=True), model("Child", User), model("Of", User, Base)]
)
def test_model_that_extends_another_is_of_its_kind(extended):
    assert key(extended()) == key(User())


def test_abstract_base_is_no_kind():
    assert key(model("Member", Base)()).kind == "app.member"


def test_stateless_user_is_no_local_one_and_nobody_elses():
    stateless = SimpleNamespace(pk=1)
    kinds = [
        key(User()),
        key(stateless, "jwt"),
        key(stateless, "other"),
        key(stateless, "jwt", issuer="https://a"),
        key(stateless, "jwt", issuer="https://b"),
        key(stateless, "app.user"),
        key(stateless, "jwt", issuer="app.user"),
    ]
    assert len(set(kinds)) == len(kinds)


def test_issuer_has_the_same_users_by_whichever_backend():
    stateless = SimpleNamespace(pk=1)
    assert key(stateless, "a", issuer="https://a") == key(stateless, "b", issuer="https://a")


def test_each_tenant_has_a_user_1_of_its_own():
    assert len({key(User()), key(User(), tenant="a"), key(User(), tenant="b")}) == 3


@pytest.mark.parametrize(
    ("wanted", "is_meant"),
    [
        (None, True),  # everybody, of all tenants
        ("app.user@acme", True),
        ("@acme", True),
        ("app.user@globex", False),
        ("@globex", False),
        ("app.user", False),
        ("app.user@", False),
        (of_tenant(FOREIGN, "acme"), False),
    ],
)
def test_kind_means_users_of_its_own_tenant_only(wanted, is_meant):
    assert is_of_kind("app.user@acme", wanted) is is_meant


def test_foreign_users_are_those_of_the_same_tenant():
    kind = key(SimpleNamespace(pk=1), issuer="https://a", tenant="acme").kind
    assert is_of_kind(kind, of_tenant(FOREIGN, "acme"))
    assert not is_of_kind(kind, of_tenant(FOREIGN, "globex"))
    assert not is_of_kind(kind, FOREIGN)


def test_sign_in_an_issuers_name_begins_no_tenant():
    kind = key(SimpleNamespace(pk=1), issuer="me@acme").kind
    assert without_tenant(kind) == (kind, None)
    assert is_of_kind(kind, FOREIGN)


def test_tenant_with_a_colon_makes_no_local_user_foreign():
    assert not is_foreign("app.user@a:b")


def test_user_key_is_written_as_the_primary_key():
    assert str(key(SimpleNamespace(pk=7))) == "7"
