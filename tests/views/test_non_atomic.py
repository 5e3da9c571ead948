"""The endpoints run outside of the transactions of `ATOMIC_REQUESTS`."""

import pytest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.test import AsyncClient

from channels_token_auth import urls
from channels_token_auth.metrics import urls as metrics
from channels_token_auth.views.non_atomic import non_atomic

PATTERNS = [*urls.urlpatterns, *metrics.urlpatterns]


@pytest.fixture
def atomic(monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_endpoint_is_in_no_transaction(pattern, atomic):
    """Its answer does not depend on a database that it does not need."""
    assert BaseHandler().make_view_atomic(pattern.callback) is pattern.callback


async def test_load_balancer_gets_an_answer(atomic, settings):
    settings.ROOT_URLCONF = "tests.views.urls"
    settings.MIDDLEWARE = []
    assert (await AsyncClient().get("/auth/ready/")).status_code == 200


def test_transactions_of_every_database_are_left_out(atomic, monkeypatch):
    other = {**connections.settings["default"], "ATOMIC_REQUESTS": True}
    monkeypatch.setitem(connections.settings, "other", other)

    def view(request):
        raise AssertionError("It is not called.")

    assert BaseHandler().make_view_atomic(view) is not view
    assert BaseHandler().make_view_atomic(non_atomic(view)) is view
