"""Calls that wait for the end of the request that the caller works for."""

import threading

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.core.signals import request_finished, request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from channels_token_auth.revocation import request_end
from channels_token_auth.revocation.request_end import at_end_of_request

calls = []


@pytest.fixture(autouse=True)
def _no_calls(site):
    site.ROOT_URLCONF = __name__
    site.MIDDLEWARE = []
    yield
    request_finished.send(sender=None)
    calls.clear()


def note():
    """Note that the call was made, and whether the view had ended."""
    at_end_of_request(lambda: calls.append("call"))


def end_view():
    calls.append("view")
    return HttpResponse()


def sync_view(request):
    note()
    return end_view()


async def async_view(request):
    await sync_to_async(note)()
    return end_view()


async def threaded_view(request):
    await sync_to_async(note, thread_sensitive=False)()
    return end_view()


def streamed_view(request):
    def stream():
        calls.append("view")
        yield b"last"

    note()
    return StreamingHttpResponse(stream())


async def streamed_async_view(request):
    async def stream():
        calls.append("view")
        yield b"last"

    await sync_to_async(note)()
    return StreamingHttpResponse(stream())


ANYWHERE = [sync_view, async_view, threaded_view]
UNDER_WSGI = [*ANYWHERE, streamed_view]
UNDER_ASGI = [*ANYWHERE, streamed_async_view]
urlpatterns = [path(f"{each.__name__}/", each) for each in {*UNDER_WSGI, *UNDER_ASGI}]


def test_call_outside_of_a_request_is_made_at_once():
    note()
    assert calls == ["call"]


def test_call_in_a_request_is_made_at_its_end_and_once():
    request_started.send(sender=None)
    note()
    assert calls == []
    request_finished.send(sender=None)
    request_finished.send(sender=None)
    assert calls == ["call"]


def test_call_of_a_response_that_nobody_closed_is_made_with_the_next_request():
    request_started.send(sender=None)
    note()
    request_started.send(sender=None)
    assert calls == ["call"]


def test_request_that_never_ends_delays_nothing(monkeypatch):
    request_started.send(sender=None)
    monkeypatch.setattr(request_end, "LONGEST", 0.01)
    called = threading.Event()
    at_end_of_request(called.set)
    assert called.wait(60)


def test_call_that_raises_is_logged_and_harms_no_response(caplog):
    request_started.send(sender=None)
    at_end_of_request(lambda: 1 / 0)
    note()
    request_finished.send(sender=None)
    assert "ZeroDivisionError" in caplog.text
    assert calls == ["call"]


@pytest.mark.parametrize("view", UNDER_WSGI)
def test_call_waits_for_the_end_of_a_wsgi_request(view):
    response = Client().get(f"/{view.__name__}/")
    list(response)
    assert calls == ["view", "call"]


@pytest.mark.parametrize("view", ANYWHERE)
async def test_request_of_the_asynchronous_test_client_ends(view):
    """A test goes on after it: no later call may wait for it."""
    await AsyncClient().get(f"/{view.__name__}/")
    await sync_to_async(note)()
    assert sorted(calls) == ["call", "call", "view"]


async def test_call_waits_for_the_end_of_a_request_of_the_asynchronous_test_client():
    await AsyncClient().get("/async_view/")
    assert calls == ["view", "call"]


@pytest.mark.parametrize("view", UNDER_ASGI)
async def test_call_waits_for_the_end_of_an_asgi_request(view):
    scope = {"type": "http", "method": "GET", "path": f"/{view.__name__}/", "headers": []}
    server = ApplicationCommunicator(get_asgi_application(), scope)
    await server.send_input({"type": "http.request"})
    message = await server.receive_output()
    while message["type"] == "http.response.start" or message.get("more_body"):
        message = await server.receive_output()
    await server.wait()
    assert calls == ["view", "call"]
