"""Events of a socket in each state of its lifecycle, and its end."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.lifecycle import (
    MAX_REAUTHENTICATIONS,
    REAUTHENTICATION_WINDOW,
    TRANSITIONS,
    Close,
    Event,
    Lifecycle,
    Rules,
    State,
)
from docs import make_lifecycle
from tests.core.lives import (
    AUTH,
    AWAY,
    IN,
    LIFETIME,
    PING,
    USER,
    admitted,
    anonymous,
    auth,
    awaiting,
    error,
    ok,
    reauthenticating,
    said,
    verifying,
)
from tests.docs.pages import read, table

NOT_NOW = [CloseReason.UNAVAILABLE, CloseReason.RATE_LIMITED]
EXPIRED = [error("token_expired", retry=True), CloseReason.TOKEN_EXPIRED]
MALFORMED = [error("malformed"), CloseReason.MALFORMED]
UNAVAILABLE = [error("unavailable", retry=True, retry_after=5), CloseReason.UNAVAILABLE]
FLOOD = [error("rate_limited", retry=True, retry_after=60), CloseReason.RATE_LIMITED]
OTHER_USER = [error("identity_changed"), CloseReason.IDENTITY_CHANGED]

# The inputs that are nothing but an event.
INPUTS = {
    Event.AWAIT: lambda life: life.await_credential(0),
    Event.PRESENT: lambda life: life.present(),
    Event.ADMIT: lambda life: life.admit(USER, LIFETIME, 0),
    Event.KEEP: lambda life: life.refuse(AWAY, 0),
    Event.END: lambda life: life.end(TokenAuthError(CloseReason.TOKEN_REVOKED)),
}
MOVES = [(state, event) for state, known in TRANSITIONS.items() for event in known]
# What is refused without a word where it comes too late is no error.
ERRORS = [
    (state, event)
    for state, known in TRANSITIONS.items()
    for event in (Event.AWAIT, Event.PRESENT, Event.ADMIT)
    if event not in known and (state, event) != (State.CLOSED, Event.ADMIT)
]


# -- The table


@pytest.mark.parametrize("state", State)
def test_each_state_is_the_one_that_it_is_called(state):
    assert IN[state]().state is state


@pytest.mark.parametrize(("state", "event"), MOVES)
def test_event_of_the_table_leads_where_it_says(state, event):
    life = IN[state]()
    INPUTS[event](life)
    assert life.state is TRANSITIONS[state][event]


@pytest.mark.parametrize(("state", "event"), ERRORS)
@pytest.mark.asvs("2.3.1")
def test_event_that_a_state_does_not_know_is_an_error_and_changes_nothing(state, event):
    life = IN[state]()
    with pytest.raises(RuntimeError, match=rf"\b{state}\b.*\b{event}\b"):
        INPUTS[event](life)
    assert life.state is state


def test_transitions_are_those_of_the_specification():
    written = {
        state: {
            to for each in leads.split(",") if (to := each.strip().removesuffix(" (anonymous)"))
        }
        for state, _, leads in table("spec/PROTOCOL.md", "state")
    }
    assert written == {state: set(known.values()) for state, known in TRANSITIONS.items()}


def test_page_is_drawn_from_the_table():
    drawn = make_lifecycle.page()
    assert read("docs/reference/lifecycle.md") == drawn, "run: python -m docs.make_lifecycle"


@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_every_socket_that_lives_can_be_ended_and_left(state):
    ended, left = IN[state](), IN[state]()
    assert said(ended.end(AWAY))[-1] is CloseReason.UNAVAILABLE
    left.leave()
    assert ended.state is left.state is State.CLOSED


TOO_LATE = {
    "admit": lambda life: life.admit(USER, LIFETIME, 0),
    "refuse": lambda life: life.refuse(AWAY, 0),
    "accept": lambda life: life.accept(speaks=True, now=0),
    "text": lambda life: life.text("hello", 0),
    "auth": lambda life: life.text(AUTH, 0),
    "binary": lambda life: life.binary(),
    "tick": lambda life: life.tick(2 * LIFETIME),
    "end": lambda life: life.end(AWAY),
}


@pytest.mark.parametrize("late", TOO_LATE.values(), ids=TOO_LATE)
def test_closed_socket_does_nothing_more(late):
    life = IN[State.CLOSED]()
    life.leave()
    life.jump(1)
    assert late(life) == []
    assert life.state is State.CLOSED
    assert life.next_tick is None


# -- First message


def test_socket_without_a_credential_is_asked_for_one():
    assert said(IN[State.CONNECTING](auth_timeout=2.9).await_credential(0)) == [
        {"type": "auth.required", "timeout": 2}
    ]


def test_first_message_is_verified_and_its_verdict_sent():
    life = awaiting()
    assert said(life.text(auth("first"), 1)) == ["first"]
    assert said(life.admit(USER, LIFETIME, 2)) == [ok()]
    assert life.text("hello", 3) is None


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("hello", "token_missing"),
        ('{"command":"hello"}', "token_missing"),
        (PING, "token_missing"),
        ("t" * 300, "too_large"),
        ('{"type":"auth"}', "malformed"),
        ('{"type":"auth","token":"abc"', "malformed"),
        ('{"type":"auth","token":"abc","x":NaN}', "malformed"),
        (auth("t" * 17), "malformed"),
        (auth("t" * 300), "too_large"),
    ],
)
def test_first_message_that_is_none_closes(frame, code):
    assert said(awaiting(max_token_bytes=16).text(frame, 0)) == [error(code), CloseReason(code)]


@pytest.mark.parametrize("frame", ["hello", PING, AUTH, '{"type":"auth"}', auth("t" * 5000)])
def test_second_message_before_the_verdict_closes(frame):
    life = awaiting()
    life.text(AUTH, 0)
    assert said(life.text(frame, 0)) == MALFORMED


def test_binary_frame_before_the_verdict_closes():
    verified = awaiting()
    verified.text(AUTH, 0)
    assert said(awaiting().binary()) == said(verified.binary()) == MALFORMED


def test_first_message_has_its_time_and_no_more():
    life = awaiting()
    assert life.next_tick == 10
    assert life.tick(9.9) == []
    assert said(life.tick(10)) == [error("auth_timeout", retry=True), CloseReason.AUTH_TIMEOUT]


def test_verification_of_a_first_message_has_its_own_time_and_no_more():
    life = awaiting()
    life.text(AUTH, 9)
    assert life.next_tick == 14
    assert life.tick(13.9) == []
    assert said(life.tick(14)) == ["abandoned", *UNAVAILABLE]


def test_verification_of_a_handshake_is_timed_by_whoever_verifies():
    for life in (IN[State.CONNECTING](), verifying()):
        assert life.next_tick is None
        assert life.tick(LIFETIME) == []


@pytest.mark.parametrize(
    "state", [each for each in State if each not in (State.CONNECTING, State.CLOSED)]
)
def test_every_wait_that_begins_on_an_accepted_socket_has_an_end(state):
    life = awaiting() if state is State.AUTHENTICATING else IN[state]()
    if state is State.AUTHENTICATING:
        life.text(AUTH, 0)
    assert life.state is state
    assert life.next_tick is not None


def test_calendar_does_not_shorten_the_wait_for_a_first_message():
    life = awaiting()
    life.jump(9)
    assert life.next_tick == 10


@pytest.mark.parametrize("code", CloseReason)
def test_first_message_that_is_refused_closes_with_the_verdict(code):
    life = awaiting()
    life.text(AUTH, 0)
    error_, close = said(life.refuse(TokenAuthError(code), 0))
    assert (error_["type"], error_["code"], close) == ("auth.error", code, code)


# -- What the client is told


def test_auth_ok_comes_once_and_only_with_our_subprotocol():
    life = verifying()
    assert life.accept(speaks=True, now=0) == []
    assert life.admit(USER, LIFETIME, 0) == []
    assert life.accept(speaks=False, now=0) == []
    assert said(life.accept(speaks=True, now=0)) == [ok()]
    assert life.accept(speaks=True, now=0) == []


def test_anonymous_socket_is_nobodys_and_has_no_end():
    life = IN[State.CONNECTING]()
    assert life.admit(None, None, 0) == []
    assert said(life.accept(speaks=True, now=0)) == [ok(None, None)]


@pytest.mark.parametrize(
    ("lifetime", "age", "expires_in"),
    [
        (None, None, None),
        (60, None, 60),
        (None, 50, 50),
        (60, 50, 50),
        (40, 50, 40),
        (59.9, None, 59),
        (0.9, None, 0),
    ],
)
def test_expires_in_is_the_earlier_end_in_whole_seconds(lifetime, age, expires_in):
    life = verifying(expiry_warning=0.1, max_connection_age=age)
    life.admit(USER, lifetime, 1)
    assert said(life.accept(speaks=True, now=1)) == [ok(expires_in)]
    assert life.expires_in(1) == expires_in


def test_expires_in_is_never_negative():
    assert admitted(10, speaks=False).expires_in(11) == 0


def test_ping_is_answered_in_every_state_that_has_an_application():
    assert said(admitted().text(PING, 0)) == [{"type": "auth.pong"}]
    assert said(reauthenticating().text(PING, 0)) == [{"type": "auth.pong"}]


@pytest.mark.parametrize("frame", ["hello", "{", '{"type":"auth.ok"}', '{"type":"authors"}'])
@pytest.mark.parametrize("start", [admitted, reauthenticating, anonymous])
def test_other_frames_are_the_applications(start, frame):
    assert start().text(frame, 0) is None
    assert start().binary() is None


@pytest.mark.parametrize("frame", [PING, AUTH, '{"type":"auth"}', auth("t" * 5000)])
def test_without_our_subprotocol_every_frame_is_the_applications(frame):
    assert admitted(speaks=False).text(frame, 0) is None


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (IN[State.CONNECTING], []),
        (verifying, []),
        (lambda: admitted(speaks=False), []),
        (awaiting, [error("token_revoked")]),
        (admitted, [error("token_revoked")]),
        (reauthenticating, [error("token_revoked")]),
    ],
)
def test_client_gets_the_reason_just_before_the_close_where_it_speaks_our_protocol(start, words):
    revoked = TokenAuthError(CloseReason.TOKEN_REVOKED)
    assert said(start().end(revoked)) == [*words, CloseReason.TOKEN_REVOKED]


def test_handshake_that_is_refused_closes_without_a_word():
    assert said(verifying().refuse(AWAY, 0)) == [CloseReason.UNAVAILABLE]


# -- Expiry


def test_socket_is_warned_once_and_then_closed():
    life = admitted()
    assert life.next_tick == 70
    assert life.tick(69.9) == []
    assert said(life.tick(70.2)) == [{"type": "auth.expiring", "expires_in": 29}]
    assert life.next_tick == LIFETIME
    assert life.tick(99.9) == []
    assert said(life.tick(LIFETIME)) == EXPIRED


def test_less_time_than_the_warning_is_warned_at_once():
    life = verifying()
    life.admit(USER, 30, 0)
    expiring = {"type": "auth.expiring", "expires_in": 30}
    assert said(life.accept(speaks=True, now=0)) == [ok(30), expiring]
    assert life.tick(1) == []


def test_socket_without_our_subprotocol_is_not_warned_but_closed():
    life = admitted(speaks=False)
    assert life.next_tick == LIFETIME
    assert life.tick(99) == []
    assert said(life.tick(LIFETIME)) == [CloseReason.TOKEN_EXPIRED]


def test_token_without_an_end_needs_no_tick():
    life = admitted(None)
    assert life.next_tick is None
    assert life.tick(1e9) == []
    life.jump(1e9)
    assert life.tick(1e9) == []


@pytest.mark.parametrize(("lifetime", "end"), [(None, 50), (60, 50), (40, 40)])
def test_connection_age_ends_what_the_token_does_not(lifetime, end):
    life = admitted(lifetime, speaks=False, max_connection_age=50)
    assert life.next_tick == end
    assert said(life.tick(end)) == [CloseReason.TOKEN_EXPIRED]


def test_anonymous_socket_ages_too():
    assert said(anonymous(max_connection_age=50).tick(50)) == EXPIRED


def test_token_that_has_expired_before_the_application_accepts_closes_at_once():
    life = verifying()
    life.admit(USER, 1, 0)
    assert said(life.accept(speaks=True, now=2)) == [ok(0), *EXPIRED]


def test_calendar_that_went_ahead_ends_a_token_sooner_and_no_connection():
    life = admitted(speaks=False, max_connection_age=90)
    life.jump(5)
    assert life.next_tick == 90
    life.jump(25)
    assert life.next_tick == 70


def test_calendar_that_goes_ahead_during_a_verification_counts_for_the_old_token():
    life = reauthenticating()
    life.jump(50)
    life.refuse(AWAY, 0)
    assert life.next_tick == 20


@pytest.mark.parametrize(("lifetime", "warned_at"), [(200, 180), (60, 40)])
def test_end_that_a_sweep_finds_replaces_the_old_one_and_is_warned_of(lifetime, warned_at):
    life = admitted()
    assert life.renew(lifetime, 10) == []
    assert life.next_tick == warned_at
    assert said(life.tick(warned_at)) == [{"type": "auth.expiring", "expires_in": 30}]
    assert said(life.tick(10 + lifetime)) == EXPIRED


def test_end_that_a_sweep_finds_is_warned_of_again():
    life = admitted()
    life.tick(70)
    assert life.renew(100, 80) == []
    assert life.next_tick == 150


def test_end_that_a_sweep_takes_away_is_none():
    life = admitted(max_connection_age=500)
    life.renew(None, 10)
    assert life.next_tick == 470
    unbound = admitted(speaks=False)
    unbound.renew(None, 10)
    assert unbound.next_tick is None


def test_end_that_has_passed_already_closes_at_once():
    assert said(admitted().renew(0, 10)) == EXPIRED
    assert said(IN[State.CLOSED]().renew(0, 10)) == []


def test_end_that_a_sweep_finds_during_a_verification_waits_for_the_verdict():
    life = reauthenticating()
    assert life.renew(0, 1) == []
    assert said(life.refuse(AWAY, 1))[1:] == EXPIRED


def test_close_keeps_the_time_to_wait():
    error = TokenAuthError(CloseReason.RATE_LIMITED, retry_after=7)
    assert verifying().end(error) == [Close(CloseReason.RATE_LIMITED, 7)]


# -- Reauthentication


def test_reauthentication_moves_the_end_and_warns_anew():
    life = admitted()
    life.tick(70)
    assert said(life.text(AUTH, 71)) == ["fresh"]
    assert said(life.admit(USER, 200, 72)) == [ok(200)]
    assert life.next_tick == 72 + 200 - 30


def test_reauthentication_with_a_shorter_token_shortens():
    life = reauthenticating()
    life.admit(USER, 40, 0)
    assert said(life.tick(40)) == EXPIRED


def test_reauthentication_with_a_token_without_an_end_takes_the_end_away():
    life = reauthenticating()
    assert said(life.admit(USER, None, 0)) == [ok(None)]
    assert life.next_tick is None


def test_reauthentication_restarts_the_age():
    life = admitted(None, max_connection_age=50)
    life.text(AUTH, 10)
    assert said(life.admit(USER, None, 10)) == [ok(50)]
    assert life.next_tick == 10 + 50 - 30


@pytest.mark.parametrize("identity", [8, None, str(USER)])
def test_reauthentication_of_another_user_closes(identity):
    assert said(reauthenticating().admit(identity, LIFETIME, 0)) == OTHER_USER


def test_anonymous_socket_stays_anonymous():
    assert said(anonymous().text(AUTH, 0)) == OTHER_USER


@pytest.mark.parametrize("code", NOT_NOW)
def test_reauthentication_not_now_leaves_the_old_end(code):
    life = reauthenticating()
    verdict = TokenAuthError(code, retry_after=5)
    assert said(life.refuse(verdict, 1)) == [error(code, retry=True, retry_after=5)]
    assert life.state is State.AUTHENTICATED
    assert life.next_tick == 70


@pytest.mark.parametrize("code", [code for code in CloseReason if code not in NOT_NOW])
def test_reauthentication_that_is_refused_closes_with_the_verdict(code):
    assert said(reauthenticating().refuse(TokenAuthError(code), 0))[1:] == [code]


@pytest.mark.parametrize(("frame", "code"), [('{"type":"auth"}', 4400), (auth("t" * 5000), 4413)])
@pytest.mark.parametrize("start", [admitted, reauthenticating, anonymous])
def test_control_frame_that_breaks_the_protocol_closes(start, frame, code):
    error_, close = said(start().text(frame, 0))
    assert error_["code"] == close
    assert close.close_code == code


def test_warning_that_is_due_during_a_verification_follows_it():
    life = admitted()
    life.text(AUTH, 69)
    assert life.tick(71) == []
    away, expiring = said(life.refuse(AWAY, 71))
    assert (away["code"], expiring) == ("unavailable", {"type": "auth.expiring", "expires_in": 29})


def test_expiry_during_a_verification_waits_for_a_good_verdict():
    life = admitted()
    life.text(AUTH, LIFETIME - 1)
    assert life.tick(LIFETIME + 3.9) == []
    assert said(life.admit(USER, 40, LIFETIME + 3.9)) == [ok(40)]


def test_expiry_during_a_verification_waits_no_longer_than_a_verification_may_take():
    life = admitted()
    life.tick(70)
    life.text(AUTH, LIFETIME - 1)
    assert life.next_tick == LIFETIME + 4
    assert said(life.tick(LIFETIME + 4)) == ["abandoned", UNAVAILABLE[0], *EXPIRED]


def test_reauthentication_without_a_verdict_leaves_the_old_end():
    life = reauthenticating()
    assert said(life.tick(5)) == ["abandoned", UNAVAILABLE[0]]
    assert life.state is State.AUTHENTICATED
    assert life.next_tick == 70
    assert said(life.text(AUTH, 6)) == ["fresh"]


def test_expiry_during_a_verification_closes_where_no_verdict_can_be_had():
    away, *rest = said(reauthenticating().refuse(AWAY, LIFETIME))
    assert away["code"] == "unavailable"
    assert rest == EXPIRED


def test_second_reauthentication_during_the_first_closes():
    assert said(reauthenticating().text(AUTH, 0)) == FLOOD


@pytest.mark.parametrize("verdict", [INPUTS[Event.ADMIT], INPUTS[Event.KEEP]])
def test_flood_of_reauthentications_closes(verdict):
    life = admitted(None)
    for _ in range(MAX_REAUTHENTICATIONS):
        assert said(life.text(AUTH, 0)) == ["fresh"]
        verdict(life)
    assert said(life.text(AUTH, REAUTHENTICATION_WINDOW - 0.1)) == FLOOD


def test_many_reauthentications_in_good_time_are_no_flood():
    life = admitted(None)
    step = REAUTHENTICATION_WINDOW / MAX_REAUTHENTICATIONS
    for number in range(3 * MAX_REAUTHENTICATIONS):
        assert said(life.text(AUTH, number * step)) == ["fresh"]
        life.admit(USER, None, number * step)
    assert said(life.text(AUTH, number * step + 1)) == FLOOD


def test_floods_are_counted_as_documented():
    assert (MAX_REAUTHENTICATIONS, REAUTHENTICATION_WINDOW) == (10, 60)


def test_rules_are_those_of_the_settings():
    assert Rules() == Rules(
        max_token_bytes=4096,
        auth_timeout=10,
        verify_timeout=5,
        expiry_warning=30,
        max_connection_age=None,
    )


def test_frames_that_come_before_the_handshake_is_answered_are_malformed():
    assert said(Lifecycle(Rules()).text("hello", 0)) == [CloseReason.MALFORMED]
    assert said(Lifecycle(Rules()).text('{"type":"auth.ping"}', 0)) == [CloseReason.MALFORMED]
    assert said(Lifecycle(Rules()).binary()) == [CloseReason.MALFORMED]


# -- A deadline that is brought forward


def test_deadline_that_is_brought_forward_is_announced_at_once():
    life = admitted()
    assert said(life.shorten(20, 10)) == [{"type": "auth.expiring", "expires_in": 20}]
    assert (life.next_tick, life.expires_in(10)) == (30, 20)
    assert life.tick(29) == []
    assert said(life.tick(30)) == EXPIRED


def test_deadline_is_never_put_off():
    life = admitted(LIFETIME)
    assert said(life.shorten(500, 90)) == [{"type": "auth.expiring", "expires_in": 10}]
    assert life.next_tick == LIFETIME
    life.shorten(2, 90)
    life.shorten(5, 91)
    assert life.next_tick == 92


def test_token_without_an_end_gets_one():
    life = admitted(None)
    assert said(life.shorten(20, 10)) == [{"type": "auth.expiring", "expires_in": 20}]
    assert said(life.tick(30)) == EXPIRED


def test_client_without_messages_is_closed_at_the_deadline_without_a_word():
    life = admitted(speaks=False)
    assert life.shorten(20, 10) == []
    assert said(life.tick(30)) == [CloseReason.TOKEN_EXPIRED]


def test_margin_is_announced_too_when_a_verification_is_overdue():
    life = reauthenticating()
    _, error_, warning = said(life.shorten(20, 60))
    assert (error_["type"], error_["code"]) == ("auth.error", "unavailable")
    assert warning == {"type": "auth.expiring", "expires_in": 20}


def test_deadline_that_has_passed_closes_at_once():
    assert said(admitted().shorten(-3, 10)) == EXPIRED


def test_fresh_token_lifts_the_deadline():
    life = admitted()
    life.shorten(20, 10)
    life.text(AUTH, 15)
    assert life.must_renew
    assert said(life.admit(USER, LIFETIME, 16)) == [ok()]
    assert (life.must_renew, life.expires_in(16)) == (False, LIFETIME)


@pytest.mark.parametrize("code", [CloseReason.TOKEN_REVOKED, CloseReason.TOKEN_INVALID])
def test_revoked_token_that_comes_again_has_expired(code):
    life = admitted()
    life.shorten(20, 10)
    life.text(AUTH, 15)
    assert said(life.refuse(TokenAuthError(code), 16)) == EXPIRED


@pytest.mark.parametrize("code", NOT_NOW)
def test_verdict_for_later_leaves_the_deadline(code):
    life = admitted()
    life.shorten(20, 10)
    life.text(AUTH, 15)
    life.refuse(TokenAuthError(code), 16)
    assert life.next_tick == 30


def test_deadline_of_a_closed_socket_is_nothing():
    life = admitted()
    life.leave()
    assert life.shorten(1, 0) == []
