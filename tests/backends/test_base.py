"""The defaults of `BaseTokenBackend`: what a site's own backend does without a line of its own."""

import pytest

from channels_token_auth import BaseTokenBackend, Credential, Location, Revocations, Secret
from tests.backends.checking import check


class Least(BaseTokenBackend):
    def authenticate(self, credentials):
        return [None for _ in credentials]

    revalidate = authenticate


class Written(Least):
    revocations = Revocations.ROWS

    def revoke(self, grants):
        return [True for _ in grants]

    def revoke_user(self, user_pk, **_):
        return True


def credential(scheme):
    return Credential(location=Location.HEADER, secret=Secret("t0ken"), scheme=scheme)


@pytest.mark.parametrize(
    ("scheme", "is_recognized"), [(None, True), ("bearer", True), ("x", False)]
)
def test_any_text_in_its_scheme_is_recognized(scheme, is_recognized):
    assert Least().recognizes(credential(scheme)) is is_recognized


def test_revocation_is_left_to_the_denylist():
    backend = Least()
    assert backend.revoke([object(), object()]) == [False, False]
    assert backend.revoke_user(1, except_token_id=None, issued_before=None) is False
    assert backend.revocations is Revocations.NOWHERE


def test_slow_backend_gets_a_thread_of_its_own_unless_it_says_otherwise():
    assert Least().is_local is False


def test_name_is_an_option():
    assert (Least().name, Least(name="second").name) == ("token", "second")


def test_backend_without_authenticate_cannot_be_built():
    with pytest.raises(TypeError):
        BaseTokenBackend()


@pytest.mark.parametrize("missing", ["revoke", "revoke_user"])
def test_rows_that_cannot_be_revoked_are_an_error(monkeypatch, missing):
    monkeypatch.delattr(Written, missing)
    (error,) = check(Written())
    assert error.id == "channels_token_auth.E190"


@pytest.mark.parametrize("backend", [Least(), Written()])
def test_complete_backend_has_no_message(backend):
    assert check(backend) == []
