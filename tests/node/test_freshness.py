"""Messages that are old or repeated are ignored, although this site has signed them."""

import json
import time

import pytest

from channels_token_auth.cluster import freshness
from channels_token_auth.cluster.envelope import open_
from channels_token_auth.cluster.freshness import ROLLOUT, SENT_AT, WINDOW, Freshness
from channels_token_auth.node import node as node_module
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import MessageIgnored, subscribe
from tests.node.messages import sealed

MESSAGE = {"kind": "drain", "node": None, "over": 0, "question": "q"}


@pytest.fixture
def ignored():
    seen = []
    end = subscribe(MessageIgnored, seen.append)
    yield lambda: [each.reason for each in seen]
    end()


def sent(seconds_ago=0.0, **fields):
    return sealed({**MESSAGE, **fields, SENT_AT: time.time() - seconds_ago})


@pytest.fixture
def receiver():
    return Freshness()


@pytest.mark.parametrize("seconds_ago", [-WINDOW + 10, -1, 0, 1, WINDOW - 10])
def test_clocks_may_differ_by_less_than_the_window(seconds_ago, receiver, ignored):
    assert open_(sent(seconds_ago), receiver)
    assert ignored() == []


@pytest.mark.parametrize("seconds_ago", [-1e9, -WINDOW - 10, WINDOW + 10, 1e9])
@pytest.mark.asvs("4.1.5")
def test_old_message_is_ignored_and_counted(seconds_ago, receiver, ignored):
    assert open_(sent(seconds_ago), receiver) is None
    assert ignored() == ["late"]


@pytest.mark.parametrize("value", ["now", [], {}, True, 0, -1, 10**400])
def test_other_values_are_no_time(value, receiver, ignored):
    assert open_(sealed({**MESSAGE, SENT_AT: value}), receiver) is None
    assert ignored() == ["late"]


@pytest.mark.asvs("4.1.5")
def test_repeated_message_is_ignored_and_counted(receiver, ignored):
    message = sent()
    assert open_(message, receiver)
    # As a layer that writes JSON with other spaces, and keys in another order, delivers it.
    again = dict(reversed(json.loads(json.dumps(message)).items()))
    assert open_(again, receiver) is None
    assert ignored() == ["repeated"]


def test_message_that_is_sent_twice_on_purpose_is_read_twice(receiver, ignored):
    assert open_(sent(1), receiver)
    assert open_(sent(0), receiver)
    assert ignored() == []


def test_each_node_of_a_process_receives_the_message(ignored):
    message = sent()
    assert open_(message, Freshness())
    assert open_(message, Freshness())
    assert ignored() == []


def test_number_of_remembered_messages_is_bounded(receiver, monkeypatch):
    monkeypatch.setattr(freshness, "MAX_SEEN", 3)
    messages = [sent(number) for number in range(4)]
    assert all(open_(each, receiver) for each in messages)
    assert [bool(open_(each, receiver)) for each in messages[1:]] == [False, False, False]


def test_frequent_messages_do_not_displace_others(receiver, monkeypatch):
    """Messages that count sockets are frequent, and must not displace a drain request."""
    monkeypatch.setattr(freshness, "MAX_SEEN", 3)
    drain = sent(10)
    assert open_(drain, receiver)
    assert all(open_(sent(number, kind="seats"), receiver) for number in range(9))
    assert open_(drain, receiver) is None


def test_message_of_the_previous_release_is_read_during_a_rollout(receiver, ignored, monkeypatch):
    assert open_(sealed(MESSAGE, sent_at=...), receiver)
    began = time.monotonic() - ROLLOUT - 1
    monkeypatch.setattr(freshness, "process_began_at", lambda: began)
    assert open_(sealed(MESSAGE, sent_at=...), receiver) is None
    assert ignored() == ["late"]


@pytest.fixture
def site(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}]
    }


@pytest.mark.usefixtures("site")
async def test_drain_that_is_repeated_after_its_end_drains_nothing(receiver):
    """An attacker who can write to the layer sends it again after the operator has undone it."""
    node, drain = here(), sent()
    undo = sent(over=None, question="undo")
    states = []
    for each in (drain, undo, drain):
        message = open_(each, receiver)
        if message:
            node.handle(message, None)
        states.append(node.drain.is_on)
    assert states == [True, False, False]


@pytest.mark.usefixtures("site")
async def test_second_copy_of_a_drain_does_not_bring_it_back():
    """Each request is sent twice, half a second apart: another may be sent in between."""
    node, states = here(), []
    for question, over in [("q", 0), ("undo", None), ("q", 0), ("undo", None), ("again", 0)]:
        node.handle(MESSAGE | {"question": question, "over": over})
        states.append(node.drain.is_on)
    assert states == [True, False, False, False, True]


@pytest.mark.usefixtures("site")
async def test_drain_of_the_process_before_does_not_drain_its_replacement(monkeypatch):
    """Its peers announce it, and somebody who has recorded it sends it again."""
    node = here()
    monkeypatch.setattr(node_module, "process_began_at", time.monotonic)
    announced = [{"question": "q", "node": None, "over": 0, "age": 20}]
    node.handle({"kind": "announce", "node": "web:1", "drains": announced})
    node.handle(MESSAGE)
    assert not node.drain.is_on
    node.handle(MESSAGE | {"question": "its own"})
    assert node.drain.is_on
