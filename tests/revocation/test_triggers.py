"""Changes of rows close sockets by signals, and never fail because of that."""

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.test import override_settings
from knox.models import AuthToken
from rest_framework.authtoken.models import Token, TokenProxy
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from channels_token_auth.backends.contract import RevocationSignal, RevokedTokens
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.revocation import triggers
from channels_token_auth.revocation.kinds import with_proxies
from channels_token_auth.verification.authenticator import site_authenticator
from tests.backends.own_users.models import Guest, Member
from tests.verification.odd_caches import Away, cache

BACKENDS = "channels_token_auth.backends."
JWT = f"{BACKENDS}simplejwt.SimpleJWTBackend"
KNOX = f"{BACKENDS}knox.KnoxTokenBackend"
SESSION = f"{BACKENDS}session.SessionBackend"
FAST = "django.contrib.auth.hashers.MD5PasswordHasher"
OTHER = "django.contrib.auth.hashers.ScryptPasswordHasher"


def accepting(*paths, **more):
    return {"BACKENDS": [{"BACKEND": path} for path in paths], **more}


@pytest.fixture
def jwts(site):
    site.CHANNELS_TOKEN_AUTH = accepting(JWT)


def codes(told):
    return [(given["user_id"], given["token_id"], given["code"]) for _, given in told]


def is_denied(token):
    credential = Credential(location=Location.HEADER, secret=Secret(token))
    (verdict,) = site_authenticator().chain.authenticate([credential])
    return getattr(verdict, "code", None) == "token_revoked"


def presented(token):
    """The token, after a client has used it: of one that nobody has seen, its second may decide."""
    assert not is_denied(str(token))
    return str(token)


# -- Tokens


def test_proxy_in_the_admin_deletes_a_token_like_any_other(token, told):
    TokenProxy.objects.get(user=token.user).delete()
    assert {each[1] for each in codes(told)} == {Secret(token.key).digest}


def test_cascade_publishes_the_token_and_its_user_together(token, told):
    pk = str(token.user_id)
    token.user.delete()
    assert codes(told) == [(pk, None, "token_revoked")]


def test_new_row_ends_nothing(ada, told):
    Token.objects.create(user=ada)
    assert told == []


def test_blacklisting_a_refresh_token_is_published(jwts, ada, told):
    refresh = RefreshToken.for_user(ada)
    refresh.blacklist()
    assert codes(told) == [(str(ada.pk), refresh["jti"], "token_revoked")]


def test_logout_publishes_the_session_and_denies_it(site, client, ada, told):
    site.CHANNELS_TOKEN_AUTH = accepting(SESSION, LOCATIONS=["cookie"], COOKIE_NAME="sessionid")
    client.force_login(ada)
    token_id = Secret(client.session.session_key).digest
    client.logout()
    assert set(codes(told)) == {(str(ada.pk), token_id, "token_revoked")}
    assert token_id  # of the key, which is nobody's business


def test_clean_up_of_expired_sessions_publishes_nothing(site, client, ada, told):
    client.force_login(ada)
    session = client.session
    session.set_expiry(-1)
    session.save()
    call_command("clearsessions")
    assert told == []


@pytest.mark.parametrize(("backend", "is_heard"), [(SESSION, True), (KNOX, False)])
def test_rows_of_sessions_are_loaded_only_where_they_open_sockets(site, backend, is_heard):
    site.CHANNELS_TOKEN_AUTH = accepting(backend, LOCATIONS=["cookie"], COOKIE_NAME="sessionid")
    assert post_delete.has_listeners(Session) is is_heard


# -- Users


@pytest.mark.usefixtures("jwts")
def test_deactivated_user_is_published_and_denied(ada, told):
    token = presented(AccessToken.for_user(ada))
    ada.is_active = False
    ada.save()
    assert codes(told) == [(str(ada.pk), None, "user_inactive")]
    User.objects.update(is_active=True)
    assert is_denied(token)


@pytest.mark.usefixtures("jwts")
def test_deactivation_that_is_not_saved_ends_nothing(ada, told):
    token = presented(AccessToken.for_user(ada))
    ada.is_active = False
    ada.save(update_fields=["last_login"])
    assert told == []
    assert not is_denied(token)
    ada.save(update_fields=["is_active"])
    assert codes(told) == [(str(ada.pk), None, "user_inactive")]


@pytest.fixture
def guest(site):
    """A user who is saved by a model that extends the user model."""
    site.AUTH_USER_MODEL = "own_users.Member"
    site.CHANNELS_TOKEN_AUTH = accepting(JWT)
    return Guest.objects.create(email="ada@example.com")


def test_user_who_is_deactivated_by_a_child_of_the_model_is_published(guest, told):
    guest.is_active = False
    guest.save()
    assert codes(told) == [(str(guest.pk), None, "user_inactive")]


def test_password_that_is_changed_by_a_child_of_the_model_is_denied(guest, told):
    token = presented(AccessToken.for_user(guest))
    guest.set_password("another")
    guest.save()
    assert codes(told) == [(str(guest.pk), None, "token_revoked")]
    assert is_denied(token)


def test_user_who_is_deleted_by_a_child_of_the_model_is_published_once(guest, told):
    pk = str(guest.pk)
    guest.delete()
    assert codes(told) == [(pk, None, "token_revoked")]


def test_user_who_is_deactivated_by_a_parent_of_the_model_is_published(site, guest, told):
    site.AUTH_USER_MODEL = "own_users.Guest"
    Member.objects.update(is_active=False)
    Member.objects.get().save()
    assert codes(told) == [(str(guest.pk), None, "user_inactive")]


@pytest.mark.usefixtures("jwts")
def test_changed_password_is_published_and_denied(ada, told):
    token = presented(AccessToken.for_user(ada))
    ada.set_password("another")
    ada.save()
    assert codes(told) == [(str(ada.pk), None, "token_revoked")]
    assert is_denied(token)


@pytest.mark.usefixtures("jwts")
@pytest.mark.parametrize("password", ["usable", None])
def test_disabled_password_is_published_and_denied(ada, told, password):
    token = presented(AccessToken.for_user(ada))
    ada.set_unusable_password() if password else ada.set_password(None)
    ada.save()
    assert codes(told) == [(str(ada.pk), None, "token_revoked")]
    assert is_denied(token)
    told.clear()
    ada.set_unusable_password()  # there was none
    ada.save()
    assert told == []


def test_disabled_password_that_is_not_saved_ends_nothing(ada, told):
    ada.set_unusable_password()
    ada.save(update_fields=["last_login"])
    User.objects.defer("password").get().save()
    User.objects.create_user("bob")
    assert told == []


@pytest.mark.parametrize("password", ["usable", "!unusable"])
def test_save_of_a_user_queries_for_a_former_password_only_where_there_is_none(
    ada, password, django_assert_num_queries
):
    ada.password = password
    with django_assert_num_queries(1 if password == "usable" else 2):
        ada.save()


def test_password_that_was_changed_is_not_published_again_at_the_next_save(ada, told):
    ada.set_password("another")
    ada.save()
    told.clear()
    ada.save()
    assert told == []


def test_better_hash_of_the_same_password_ends_nothing(site, ada, told):
    User.objects.update(password=make_password("pw", hasher="md5"))
    site.PASSWORD_HASHERS = [OTHER, FAST]
    user = User.objects.get()
    assert user.check_password("pw")
    assert user.password.startswith("scrypt")
    assert told == []


@pytest.mark.parametrize("change", ["first_name", "last_login"])
def test_any_other_change_ends_nothing(change, ada, told):
    setattr(ada, change, None if change == "last_login" else "Ada")
    ada.save()
    assert told == []


def test_new_user_and_a_fixture_end_nothing(ada, told, tmp_path):
    file = tmp_path / "users.json"
    with file.open("w") as out:
        call_command("dumpdata", "auth.user", stdout=out)
    call_command("loaddata", str(file), verbosity=0)
    User.objects.create_user("new", password="pw", is_active=False)
    assert told == []


def test_proxy_of_the_user_model_is_the_user(ada, told):
    people = [model for model in with_proxies(User) if model._meta.proxy]
    for model in people:
        user = model.objects.get(pk=ada.pk)
        user.is_active = False
        user.save()
    assert len(told) == len(people)
    assert with_proxies(Token) == [Token, TokenProxy]


def test_site_whose_tokens_all_have_rows_needs_no_cache(site, ada, told):
    site.CACHES = cache(Away)
    ada.is_active = False
    ada.save()
    assert codes(told) == [(str(ada.pk), None, "user_inactive")]


def test_users_of_another_model_are_published_by_their_key(site, told):
    site.AUTH_USER_MODEL = "own_users.Member"
    member = Member.objects.create(email="ada@example.com", password="")
    member.is_active = False
    member.save()
    assert codes(told) == [(str(member.pk), None, "user_inactive")]


# -- No harm done


@pytest.mark.usefixtures("jwts")
def test_dead_cache_breaks_no_save_and_announces_no_revocation(site, ada, told, caplog):
    site.CACHES = cache(Away)
    ada.is_active = False
    ada.save()
    assert not User.objects.get().is_active
    assert codes(told) == []
    levels = [each.levelname for each in caplog.records if each.name == "channels_token_auth"]
    assert "ERROR" in levels


@pytest.mark.usefixtures("jwts")
def test_cache_that_is_back_denies_again(site, ada, monkeypatch):
    site.CACHES = cache(Away)
    token = presented(AccessToken.for_user(ada))
    ada.set_password("another")
    ada.save()
    monkeypatch.setattr(Away, "is_away", False)
    ada.set_password("yet another")
    ada.save()
    assert is_denied(token)
    assert caches["default"]


class Clumsy(DRFTokenBackend):
    def announcements(self):
        return [RevocationSignal(signal=post_delete, sender=Token, tokens=self._raise)]

    def _raise(self, instance, **_):
        raise ValueError(f"of the backend, about {instance.key}")


def test_backend_that_raises_breaks_no_deletion(site, token, caplog):
    site.CHANNELS_TOKEN_AUTH = accepting(f"{__name__}.Clumsy")
    key = token.key
    token.delete()
    assert not Token.objects.exists()
    assert "of the backend" in caplog.text
    assert key not in caplog.text


class Extended(DRFTokenBackend):
    """Its tokens are rows of a model that another one extends."""

    def announcements(self):
        signals = (post_save, post_delete)
        return [RevocationSignal(signal=s, sender=Member, tokens=self._tokens) for s in signals]

    def _tokens(self, instance, **_):
        return [RevokedTokens(user_pk=None, token_id=instance.email)]


def test_token_that_is_saved_or_deleted_by_a_child_of_its_model_is_published(site, db, told):
    site.CHANNELS_TOKEN_AUTH = accepting(f"{__name__}.Extended")
    guest = Guest.objects.create(email="one@example.com")
    assert codes(told) == [(None, "one@example.com", "token_revoked")]
    guest.delete()
    assert codes(told) == [(None, "one@example.com", "token_revoked")] * 2


def test_settings_that_are_wrong_break_no_save(site, ada, caplog):
    site.CHANNELS_TOKEN_AUTH = accepting("no.such.Backend")
    ada.set_password("another")
    ada.save()
    assert User.objects.get().check_password("another")
    assert "no.such" in caplog.text


# -- Settings


def test_listeners_follow_the_settings(site, ada, told):
    _, knox = AuthToken.objects.create(ada)
    with override_settings(CHANNELS_TOKEN_AUTH=accepting(f"{BACKENDS}knox.KnoxTokenBackend")):
        Token.objects.create(user=ada).delete()
        assert told == []
        AuthToken.objects.all().delete()
        assert len(told) == 1
    AuthToken.objects.create(ada)
    AuthToken.objects.all().delete()
    assert len(told) == 1
    assert knox


class Counted(DRFTokenBackend):
    built = 0

    def __init__(self):
        super().__init__()
        Counted.built += 1


def test_settings_that_no_backend_is_built_with_build_none(site):
    site.CHANNELS_TOKEN_AUTH = accepting(f"{__name__}.Counted")
    built = Counted.built
    with override_settings(MIDDLEWARE=[], ROOT_URLCONF="tests.views.urls"):
        assert Counted.built == built
    assert Counted.built == built > 0


def test_settings_that_are_deleted_break_no_deletion(site, ada):
    Token.objects.create(user=ada)
    del site.CHANNELS_TOKEN_AUTH  # which Django tells nobody
    Token.objects.all().delete()
    assert not Token.objects.exists()


def test_nothing_is_listened_to_twice(site, token, told):
    for _ in range(3):
        triggers.wire()
    with transaction.atomic():
        token.delete()
    assert len(told) == 1
