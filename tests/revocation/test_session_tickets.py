"""A socket that a session's ticket opened ends with the session: by message, and by sweep."""

from importlib import import_module

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.core.cache import caches
from django.http import HttpRequest
from django.test import Client

from channels_token_auth.node.node import here
from tests.connection.sockets import open_sockets

SESSION = {"BACKEND": "channels_token_auth.backends.session.SessionBackend"}
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
ENGINES = ["db", "cached_db", "cache", "file"]
SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


@pytest.fixture(params=ENGINES)
def engine(request, site, tmp_path):
    site.SESSION_FILE_PATH = str(tmp_path)
    site.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [SESSION], "LOCATIONS": ["ticket"]}
    site.ROOT_URLCONF = "channels_token_auth.urls"
    site.MIDDLEWARE = [SESSIONS]
    yield request.param
    caches["default"].clear()


@pytest.fixture
def browser(engine, ada):
    browser = Client()
    browser.force_login(ada)
    return browser


def flush(browser):
    browser.session.flush()


def log_out(browser):
    browser.logout()


def log_in_as_another(browser):
    request = HttpRequest()
    request.COOKIES["sessionid"] = key = browser.cookies["sessionid"].value
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    login(request, get_user_model().objects.create_user("eve"), MODEL_BACKEND)


async def opened(sockets, browser):
    answer = await sync_to_async(browser.post)("/ticket/")
    query = f"ticket={answer.json()['ticket']}".encode()
    socket = await sockets(None, query_string=query)
    assert len(open_sockets()) == 1
    return socket


@pytest.mark.parametrize("end", [flush, log_out, log_in_as_another])
async def test_socket_closes_at_once_where_a_signal_is_sent(sockets, browser, engine, end):
    if end is flush and engine in ("cache", "file"):
        return  # no signal at all: the next test
    socket = await opened(sockets, browser)
    await sync_to_async(end)(browser)
    assert await socket.closes() == 4410


@pytest.mark.parametrize("end", [flush, log_out, log_in_as_another])
async def test_socket_closes_at_the_next_sweep_where_no_message_comes(
    sockets, browser, end, monkeypatch
):
    socket = await opened(sockets, browser)
    monkeypatch.setattr("channels_token_auth.revocation.on_commit.publish", lambda *_: None)
    await sync_to_async(end)(browser)
    assert await socket.stays()
    here().sweep.hurry()
    assert await socket.closes() == 4410
