"""Recipes of the page for sites that are their own provider, with the packages themselves."""

import os
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client as AllauthClient
from allauth.idp.oidc.models import Token as AllauthToken
from django.contrib.auth.models import User
from django.db.models.signals import post_delete
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application

from channels_token_auth.checks import check_settings
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.verification.authenticator import site_authenticator
from tests.backends.jwt_keys import pem, rsa_keys
from tests.docs.pages import snippets
from tests.providers.signing import outcome
from tests.verification.odd_caches import Remote, cache

PAGE = "docs/how-to/identity-provider/own-provider.md"
OURS = "channels_token_auth."
OF_TESTS = {"W007"}
"""The channel layer of the tests."""

urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include("allauth.idp.urls")),
    path("accounts/", include("allauth.account.urls")),
]


def run(heading, number=0):
    """Run a block of the page below a heading, and return its names."""
    names = {"os": os}
    exec(compile(snippets(PAGE, "python", heading)[number], PAGE, "exec"), names)
    return names


def warnings():
    found = (each.id.removeprefix(OURS) for each in check_settings() if each.level >= 30)
    return set(found) - OF_TESTS


@pytest.fixture
def site(settings, monkeypatch, db):
    monkeypatch.setenv("OIDC_RSA_PRIVATE_KEY", pem(rsa_keys("own")[0]))
    monkeypatch.setenv("INTROSPECTION_TOKEN", "of-the-other-site")
    settings.ROOT_URLCONF = __name__
    settings.CACHES = cache(Remote)
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ]
    return settings


@pytest.fixture
def ada(site):
    return User.objects.create_user("ada")


@pytest.fixture
def browser(ada, django_capture_on_commit_callbacks):
    """The user's browser. What waits for a commit happens at once."""

    class Browser(Client):
        def request(self, **given):
            with django_capture_on_commit_callbacks(execute=True):
                return super().request(**given)

    browser = Browser()
    browser.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    return browser


# -- django-oauth-toolkit


@pytest.fixture
def application(ada):
    return Application.objects.create(
        user=ada,
        client_id="web",
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm="RS256",
    )


def oauth_token(user, application, text, scope="chat"):
    expires = timezone.now() + timedelta(hours=1)
    AccessToken.objects.create(
        user=user, application=application, token=text, scope=scope, expires=expires
    )
    return text


def test_logout_at_django_oauth_toolkit_ends_its_tokens(site, browser, ada, application):
    recipe = run("## django-oauth-toolkit, sockets")
    site.OAUTH2_PROVIDER = recipe["OAUTH2_PROVIDER"]
    site.CHANNELS_TOKEN_AUTH = recipe["CHANNELS_TOKEN_AUTH"]
    token = oauth_token(ada, application, "a" * 30)
    assert (outcome(token), warnings()) == ("accepted", set())
    answer = browser.post("/o/logout/", {"allow": "Log out", "client_id": "web"})
    assert answer.status_code == 302
    assert outcome(token) in {"token_invalid", "token_revoked"}


@pytest.mark.django_db(transaction=True)
def test_other_site_asks_django_oauth_toolkit(site, live_server, ada, application):
    site.OAUTH2_PROVIDER = run("## django-oauth-toolkit, sockets")["OAUTH2_PROVIDER"]
    oauth_token(ada, application, "of-the-other-site", "introspection")
    token = oauth_token(ada, application, "a" * 30)
    recipe = run("## Sockets on another site")["CHANNELS_TOKEN_AUTH"]
    site.CHANNELS_TOKEN_AUTH = recipe
    assert warnings() == {"W171", "W172"}
    # The provider of this test is on the loopback interface.
    recipe["BACKENDS"][0]["OPTIONS"]["url"] = f"{live_server.url}/o/introspect/"
    site.CHANNELS_TOKEN_AUTH = {**recipe}
    assert outcome(token) == "accepted"
    AccessToken.objects.filter(token=token).delete()
    assert outcome(token) == "token_invalid"


# -- django-allauth


@pytest.fixture
def allauth(site):
    """The recipe: its class, its settings and its receiver."""
    heading = "## django-allauth, sockets"
    globals()["ProvidersTokens"] = run(heading)["ProvidersTokens"]
    recipe = run(heading, 1)["CHANNELS_TOKEN_AUTH"]
    options = recipe["BACKENDS"][0]["OPTIONS"]
    assert options["authentication_classes"] == ["accounts.authentication.ProvidersTokens"]
    options["authentication_classes"] = [f"{__name__}.ProvidersTokens"]
    site.CHANNELS_TOKEN_AUTH = recipe
    receiver = run(heading, 2)["close_sockets"]
    yield site
    post_delete.disconnect(receiver, sender=AllauthToken)


@pytest.fixture
def client_of_allauth(ada):
    client = AllauthClient(id="web", name="Web", owner=ada, scopes="openid", secret="")
    client.set_secret("s3cret")
    client.save()
    return client


def allauth_token(user, client, text):
    AllauthToken.objects.create(
        type=AllauthToken.Type.ACCESS_TOKEN,
        hash=get_adapter().hash_token(text),
        client=client,
        user=user,
        scopes="openid",
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return text


def test_token_of_allauth_that_is_revoked_there_ends(
    allauth, browser, ada, client_of_allauth, revocations
):
    token = allauth_token(ada, client_of_allauth, "an-access-token")
    other = allauth_token(ada, client_of_allauth, "another-one")
    assert ([outcome(token), outcome(other)], warnings()) == (["accepted"] * 2, set())
    form = {"token": token, "client_id": "web", "client_secret": "s3cret"}
    answer = browser.post(
        "/identity/o/api/revoke",
        data=urlencode(form),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert (outcome(token), outcome(other)) == ("token_invalid", "accepted")
    assert Secret(token).digest in {each.revocation.target.token_id for each in revocations}


def test_socket_ends_with_its_token_and_has_its_scopes(allauth, ada, client_of_allauth):
    token = allauth_token(ada, client_of_allauth, "an-access-token")
    credential = Credential(location=Location.HEADER, secret=Secret(token), scheme="bearer")
    authentication = site_authenticator().authenticate_now(credential).authentication
    row = AllauthToken.objects.get()
    assert authentication.token_id == row.hash[:32]
    assert abs(authentication.expires_at - row.expires_at) < timedelta(seconds=1)
    assert authentication.scopes == {"openid"}
