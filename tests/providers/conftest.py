"""A site whose JWTs an identity provider issues, and that receives what the provider reports."""

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings

from channels_token_auth.clock import clock
from channels_token_auth.observability.events import RequestRefused, RevocationPublished, subscribe
from channels_token_auth.observability.refusal_log import throttle
from tests.backends.jwt_keys import pem
from tests.providers.signing import AUDIENCE, ISSUER, PUBLIC
from tests.verification.odd_caches import Remote, cache

PROVIDER = {
    "ISSUER": ISSUER,
    "AUDIENCE": AUDIENCE,
    "KEY": pem(PUBLIC),
    "ALGORITHMS": ["RS256"],
    "BACKENDS": ["jwt"],
    "ENDPOINTS": ["backchannel-logout", "security-events", "global-token-revocation"],
}
JWT = {
    "BACKEND": "channels_token_auth.backends.jwt.JWTBackend",
    "OPTIONS": {
        "algorithms": ["RS256"],
        "key": pem(PUBLIC),
        "issuer": ISSUER,
        "audience": "api",
        "typ": "at+jwt",
    },
}


@pytest.fixture(scope="module", autouse=True)
def _pages():
    """Serve the site's pages: once for a module, since each change resets caches everywhere."""
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ]
    with override_settings(ROOT_URLCONF="tests.views.urls", MIDDLEWARE=middleware):
        yield


@pytest.fixture(autouse=True)
def site(settings, db):
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [JWT], "IDENTITY_PROVIDERS": [PROVIDER]}
    # A cache of the test's own: another test's user may have had the same primary key.
    settings.CACHES = cache(Remote)
    throttle.reset()
    yield settings
    throttle.reset()


@pytest.fixture
def configure(site):
    """Change the entry of the one provider, or settings of the site (in capitals, by `site`)."""

    def change(**changes):
        entry = {k: v for k, v in (PROVIDER | changes).items() if v is not ...}
        site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [JWT], "IDENTITY_PROVIDERS": [entry]}

    return change


class Provider(Client):
    """The provider's HTTP client: without cookies, so that Django would want its CSRF token. What
    waits for a commit happens at once, although the test's own transaction never commits.
    """

    def __init__(self, committed):
        super().__init__(enforce_csrf_checks=True)
        self._committed = committed

    def request(self, **given):
        with self._committed(execute=True):
            return super().request(**given)


@pytest.fixture
def provider(django_capture_on_commit_callbacks):
    return Provider(django_capture_on_commit_callbacks)


class Steady:
    """The library's steady clock, moved by hand."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def steady(monkeypatch):
    fake = Steady()
    monkeypatch.setattr(clock, "steady", fake)
    return fake


@pytest.fixture
def ada():
    return User.objects.create_user("ada", email="ada@site.test")


@pytest.fixture
def bob():
    return User.objects.create_user("bob", email="bob@site.test")


@pytest.fixture
def revocations():
    """Every revocation that is published."""
    seen = []
    end = subscribe(RevocationPublished, seen.append)
    yield seen
    end()


@pytest.fixture
def refused():
    """Every request that is refused, as developers learn of it."""
    seen = []
    end = subscribe(RequestRefused, seen.append)
    yield seen
    end()
