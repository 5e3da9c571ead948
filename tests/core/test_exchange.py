"""The ASGI exchange: who accepted a socket, and who was informed of its end."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from channels_token_auth.core.lifecycle import STEPS, Act, Exchange, Stage, Step
from docs import make_exchange
from tests.docs.pages import read

MOVES = [(stage, step) for stage, rules in STEPS.items() for step in rules]
WAYS = {
    Stage.HANDSHAKE: [],
    Stage.ACCEPTED: [Step.AWAIT],
    Stage.OPEN: [Step.ACCEPT],
    Stage.DENYING: [Step.RESPOND],
    Stage.CLOSING: [Step.ACCEPT, Step.END],
    Stage.OVER: [Step.LEAVE],
}
"""How to get to each stage."""


def at(stage):
    exchange = Exchange()
    for step in WAYS[stage]:
        exchange.take(step)
    assert exchange.stage is stage
    return exchange


@pytest.mark.parametrize(("stage", "step"), MOVES)
def test_step_of_the_table_leads_where_it_says(stage, step):
    exchange = at(stage)
    assert (exchange.take(step), exchange.stage) == STEPS[stage][step]


@pytest.mark.parametrize(
    ("stage", "step"), [(a, b) for a in Stage for b in Step if b not in STEPS[a]]
)
def test_step_that_a_stage_does_not_know_is_an_error_and_changes_nothing(stage, step):
    exchange = at(stage)
    with pytest.raises(RuntimeError, match=f"'{stage}'"):
        exchange.take(step)
    assert exchange.stage is stage


def test_page_is_drawn_from_the_table():
    drawn = make_exchange.page()
    assert read("docs/reference/exchange.md") == drawn, "run: python -m docs.make_exchange"


def test_picture_is_drawn_from_the_table():
    drawn = make_exchange.picture()
    assert read("docs/reference/exchange.svg") == drawn, "run: python -m docs.make_exchange"


# -- What the application's messages are


START = {"type": "websocket.http.response.start", "status": 404}
MORE = {"type": "websocket.http.response.body", "body": b"a", "more_body": True}
LAST = {"type": "websocket.http.response.body", "body": b"b"}


@pytest.mark.parametrize(
    ("stage", "message", "act", "following"),
    [
        (Stage.HANDSHAKE, {"type": "websocket.accept"}, Act.ACCEPT, Stage.OPEN),
        (Stage.HANDSHAKE, {"type": "websocket.close"}, Act.DENY, Stage.CLOSING),
        (Stage.HANDSHAKE, START, Act.FORWARD, Stage.DENYING),
        (Stage.HANDSHAKE, {"type": "websocket.send"}, Act.FORWARD, Stage.HANDSHAKE),
        (Stage.DENYING, MORE, Act.FORWARD, Stage.DENYING),
        (Stage.DENYING, LAST, Act.FORWARD, Stage.CLOSING),
        (Stage.ACCEPTED, {"type": "websocket.accept"}, Act.DROP, Stage.OPEN),
        (Stage.ACCEPTED, {"type": "websocket.close"}, Act.DENY, Stage.CLOSING),
        (Stage.ACCEPTED, START, Act.DENY, Stage.CLOSING),
        (Stage.OPEN, {"type": "websocket.send"}, Act.FORWARD, Stage.OPEN),
        (Stage.OPEN, {"type": "websocket.close"}, Act.CLOSE, Stage.CLOSING),
        (Stage.OPEN, {"type": "of.an.extension"}, Act.FORWARD, Stage.OPEN),
        (Stage.CLOSING, {"type": "websocket.send"}, Act.DROP, Stage.CLOSING),
        (Stage.CLOSING, {"type": "of.an.extension"}, Act.DROP, Stage.CLOSING),
        (Stage.OVER, {"type": "websocket.close"}, Act.DROP, Stage.OVER),
    ],
)
def test_message_of_the_application_is_a_step(stage, message, act, following):
    exchange = at(stage)
    assert exchange.take_message(message, is_page=False) is act
    assert exchange.stage is following


def test_page_that_gets_an_http_response_is_denied():
    exchange = Exchange()
    assert exchange.take_message(START, is_page=True) is Act.DENY
    assert exchange.take_message(LAST, is_page=True) is Act.DROP
    assert exchange.stage is Stage.CLOSING


# -- What the table promises


OF_THE_APPLICATION = (Step.ACCEPT, Step.SEND, Step.CLOSE, Step.RESPOND, Step.BODY, Step.FINISH)


class Socket(RuleBasedStateMachine):
    """Any order of steps, as far as the table knows them."""

    def __init__(self):
        super().__init__()
        self.exchange = Exchange()
        self.disconnects = 0
        self.is_closed = False  # towards the client
        self.has_application = True

    def take(self, step):
        return self.exchange.take(step)

    @precondition(lambda self: self.has_application)
    @rule(step=st.sampled_from(OF_THE_APPLICATION))
    def application_acts(self, step):
        was_closed = self.is_closed
        act = self.take(step)
        assert act is Act.DROP or not was_closed
        self.is_closed |= act in (Act.CLOSE, Act.DENY) or self.exchange.stage is Stage.CLOSING

    @precondition(lambda self: self.exchange.stage is Stage.HANDSHAKE)
    @rule()
    def library_accepts(self):
        self.take(Step.AWAIT)

    @rule()
    def library_closes(self):
        act = self.take(Step.END)
        assert act is Act.DROP or not self.is_closed
        self.is_closed |= act is not Act.DROP

    @rule()
    def client_leaves(self):
        act = self.take(Step.LEAVE)
        self.disconnects += act is Act.FORWARD
        self.is_closed |= act is Act.FORWARD

    @precondition(lambda self: self.exchange.stage is Stage.CLOSING and self.has_application)
    @rule()
    def library_hands_over_the_disconnect(self):
        self.take(Step.DELIVER)
        self.disconnects += 1

    @precondition(lambda self: self.has_application)
    @rule()
    def application_ends(self):
        self.has_application = False
        if self.take(Step.RETURN) is Act.FAIL:
            self.library_closes()
        assert self.is_closed or self.exchange.stage is Stage.OVER

    @invariant()
    def application_gets_one_disconnect(self):
        assert self.disconnects <= 1
        if self.has_application:
            assert (self.exchange.stage is Stage.OVER) is (self.disconnects == 1)


TestSocket = Socket.TestCase
