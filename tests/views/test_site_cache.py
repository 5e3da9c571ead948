"""Django's cache of the whole site keeps no answer of the endpoints."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from rest_framework.authtoken.models import Token

pytestmark = pytest.mark.django_db
STORING = "django.middleware.cache.UpdateCacheMiddleware"
FETCHING = "django.middleware.cache.FetchFromCacheMiddleware"
OPERATOR = {"REMOTE_ADDR": "127.0.0.1"}


def without_no_store(get_response):
    """Hide the header, which the first releases of Django 5.2 ignore."""

    def middleware(request):
        answer = get_response(request)
        answer.headers.pop("Cache-Control", None)
        return answer

    return middleware


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.metrics.urls"
    settings.MIDDLEWARE = [STORING, f"{__name__}.without_no_store", FETCHING]
    yield
    cache.clear()


def token_of(name):
    key = Token.objects.create(user=User.objects.create(username=name)).key
    return {"Authorization": f"Token {key}"}


@pytest.mark.parametrize("path", ["/auth/check/", "/auth/connections/"])
def test_one_user_does_not_get_the_answer_to_another(path):
    assert Client().get(path, headers=token_of("ada")).status_code == 200
    assert Client().get(path).status_code == 401


def test_check_is_about_the_token_that_asks():
    ada, bob = (Client().get("/auth/check/", headers=token_of(name)) for name in ("ada", "bob"))
    assert ada.json() != bob.json()


def test_others_do_not_get_the_answer_to_an_operator():
    for path in ("/auth/ready/", "/auth/metrics/"):
        Client().get(path, **OPERATOR)
    assert Client(REMOTE_ADDR="192.0.2.7").get("/auth/ready/").json() == {"ready": True}
    assert Client(REMOTE_ADDR="192.0.2.7").get("/auth/metrics/").status_code == 401
