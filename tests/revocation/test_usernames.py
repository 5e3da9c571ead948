"""Users found by what people type, and named by what sockets know."""

import pytest
from django.contrib.auth.models import User

from channels_token_auth.usernames import find_user, usernames

RUBBISH = ["", "nobody", "0", "9" * 30, "-1", "\0", "\ud800", "auth0|7"]


def test_user_is_found_by_name_and_by_key(ada):
    assert find_user("ada") == find_user(str(ada.pk)) == ada


def test_user_whose_name_is_his_own_key_is_found(ada):
    ada.username = str(ada.pk)
    ada.save()
    assert find_user(str(ada.pk)) == ada


@pytest.mark.parametrize("text", RUBBISH)
def test_rubbish_finds_nobody_and_fails_nowhere(ada, text):
    assert find_user(text) is None
    assert usernames([text, None, str(ada.pk)]) == {str(ada.pk): "ada"}


def test_nobody_needs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert usernames([None, "auth0|7"]) == {}


@pytest.mark.parametrize("name", ["a\x1b[31mb", "line\nbreak", "tab\there", "\u202eright-to-left"])
def test_user_whose_name_has_control_characters_is_found(name):
    user = User.objects.create(username=name)
    assert find_user(name) == user


@pytest.mark.parametrize("name", ["a\x00b", "lone \ud800 surrogate"])
@pytest.mark.asvs("1.2.4")
def test_name_that_no_database_takes_is_nobodys(name):
    assert find_user(name) is None
