"""Users of sessions, in cases that no test of a backend reaches."""

from types import SimpleNamespace

from channels_token_auth.backends.sources.sessions.users import has_password_of, session_user_pk
from tests.backends.own_users.models import Place


def test_key_of_a_user_model_left_behind_is_nobodys(settings):
    settings.AUTH_USER_MODEL = "own_users.Member"
    assert session_user_pk({"_auth_user_id": "7"}) is None


def test_key_of_two_columns_can_be_looked_up(settings):
    settings.AUTH_USER_MODEL = "own_users.Place"
    place = Place(row="a", number=7)
    stored = place._meta.pk.value_to_string(place)
    assert {session_user_pk({"_auth_user_id": stored})} == {("a", 7)}


def test_session_of_nobody_has_no_user():
    assert session_user_pk({}) is None


def test_user_without_a_password_cannot_have_changed_it():
    assert has_password_of(SimpleNamespace(is_active=True), {})
