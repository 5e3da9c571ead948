"""Calls that wait for the end of the request that this thread answers."""

import threading

import pytest
from django.core.signals import request_finished, request_started

from channels_token_auth.revocation import request_end
from channels_token_auth.revocation.request_end import at_end_of_request


@pytest.fixture
def calls():
    yield []
    request_finished.send(sender=None)


def test_call_outside_of_a_request_is_made_at_once(calls):
    at_end_of_request(lambda: calls.append(1))
    assert calls == [1]


def test_call_in_a_request_is_made_at_its_end_and_once(calls):
    request_started.send(sender=None)
    at_end_of_request(lambda: calls.append(1))
    assert calls == []
    request_finished.send(sender=None)
    request_finished.send(sender=None)
    assert calls == [1]


def test_call_of_a_response_that_nobody_closed_is_made_with_the_next_request(calls):
    request_started.send(sender=None)
    at_end_of_request(lambda: calls.append(1))
    request_started.send(sender=None)
    assert calls == [1]


def test_request_that_never_ends_delays_nothing(calls, monkeypatch):
    request_started.send(sender=None)
    monkeypatch.setattr(request_end, "LONGEST", 0.01)
    called = threading.Event()
    at_end_of_request(called.set)
    assert called.wait(5)
