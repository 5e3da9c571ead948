"""Tokens in the admin: managed by people who never see a key, but for the moment it is made."""

import hashlib
import re
import urllib.error

import pytest
from websockets.exceptions import InvalidStatus

from tests.example.administrator import Administrator

TOKENS = "/admin/accounts/usertoken/"


class Person:
    """A user with a token."""

    def __init__(self, pk, key):
        self.id, self.key = pk, key
        self.page = f"{TOKENS}{self.id}/"


@pytest.fixture(scope="module")
def admin(system):
    created = system.manage(
        *("createsuperuser", "--noinput", "--username", "chief", "--email", "c@example.com"),
        DJANGO_SUPERUSER_PASSWORD="chief-password-1",
    )
    assert created.returncode == 0, created.stderr
    administrator = Administrator(system.url)
    assert "Site administration" in administrator.log_in("chief", "chief-password-1")
    return administrator


@pytest.fixture(scope="module")
def people(system):
    code = "from django.contrib.auth.models import User as U\n"
    code += "for number in range(20):\n"
    code += "  u = U.objects.create_user(f'person-{number}'); print(u.pk, u.auth_token.key)"
    lines = system.manage("shell", "-v0", "-c", code).stdout.splitlines()
    return iter([Person(*line.split()) for line in lines])


@pytest.fixture
def person(people):
    """Somebody whom no other test has met."""
    return next(people)


def shown_key(page):
    return re.search(r'id="token-key">(\w{40})<', page).group(1)


def is_accepted(system, key):
    try:
        system.knock(f"/?token={key}")
    except InvalidStatus:
        return False
    return True


def test_no_page_shows_a_key(admin, person):
    token_id = hashlib.sha256(person.key.encode()).hexdigest()[:32]
    listing = admin.get(TOKENS)
    assert token_id in listing
    assert person.page in listing
    pages = ["change/", "history/", "delete/"]
    for page in [listing, *(admin.get(person.page + name) for name in pages)]:
        assert person.key not in page


def test_deleting_a_user_shows_the_id_of_the_token_that_goes_along(admin, person):
    page = admin.get(f"/admin/auth/user/{person.id}/delete/")
    assert person.key not in page
    assert hashlib.sha256(person.key.encode()).hexdigest()[:32] in page


def test_replacing_shows_the_new_key_once_and_ends_the_old_one(system, admin, person):
    new = shown_key(admin.post(f"{person.page}change/"))
    assert is_accepted(system, new)
    assert not is_accepted(system, person.key)
    for path in (TOKENS, f"{person.page}change/", f"{person.page}history/", "/admin/"):
        assert new not in admin.get(path)


def test_deleting_ends_the_token_and_adding_shows_a_new_one(system, admin, person):
    page = admin.post(f"{person.page}delete/", post="yes")
    assert person.key not in page
    assert not is_accepted(system, person.key)
    assert is_accepted(system, shown_key(admin.post(f"{TOKENS}add/", user=person.id)))


@pytest.mark.parametrize(
    "path",
    [
        f"{TOKENS}?key__startswith=",
        f"{TOKENS}?pk__startswith=",
        f"{TOKENS}?user__auth_token__key__startswith=",
        "/admin/auth/user/?auth_token__key__startswith=",
        "/admin/auth/user/?auth_token__startswith=",
    ],
)
def test_keys_cannot_be_guessed_by_filters(admin, person, path):
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        admin.get(path + person.key[0])
    refused.value.close()


def test_key_is_no_address(admin, person):
    assert "doesn’t exist" in admin.get(f"{TOKENS}{person.key}/change/")
