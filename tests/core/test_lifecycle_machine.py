"""Whatever a client, a server and a token store do, in any order: what holds of every life."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.lifecycle import (
    TRANSITIONS,
    Abandon,
    Close,
    Lifecycle,
    Rules,
    Send,
    State,
    Verify,
    Warn,
)
from tests.core.lives import PING, auth
from tests.plugins.examples import times

MAX = 16
BINARY = PEER_LEAVES = None
NOT_NOW = (CloseReason.RATE_LIMITED, CloseReason.UNAVAILABLE)
OLD = (CloseReason.TOKEN_REVOKED, CloseReason.TOKEN_INVALID)
OPEN_TO_FRAMES = (State.AUTHENTICATED, State.REAUTHENTICATING)

seconds = st.integers(0, 40) | st.floats(0, 40)
lifetimes = st.none() | st.integers(-1, 100) | st.floats(1, 100)
rules = st.builds(
    Rules,
    max_token_bytes=st.just(MAX),
    expiry_warning=st.sampled_from([0.5, 30]),
    max_connection_age=st.none() | st.integers(1, 100),
)
frames = st.sampled_from([BINARY, "hello", "", '"auth', '{"type":"authors"}', PING])
violations = st.sampled_from(
    ['{"type":"auth"}', auth("a b"), auth("t" * (MAX + 1)), auth("t" * 300)]
)

# Lives that end at once show little: most of them are left in peace for some steps.
fatal = precondition(lambda self: self.is_at_war)
fatal_before_admission = precondition(lambda self: self.users or self.is_at_war)


class Watched(Lifecycle):
    """Moves by the transitions of the table, or not at all."""

    def __setattr__(self, name, value):
        if name == "state" and hasattr(self, "state"):
            assert value in TRANSITIONS[self.state].values()
        super().__setattr__(name, value)


def closes(said):
    return [each for each in said if isinstance(each, CloseReason)]


class Life(RuleBasedStateMachine):
    """A socket, and what an onlooker who knows the protocol only remembers of it."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0
        self.steps = 0
        self.users = []  # of the verdicts that let in
        self.is_verifying = False
        self.presented = None  # the token of the last `auth`
        self.speaks = False
        self.is_over = False
        self.token_ends = None
        self.age_ends = None
        self.renews_by = None  # its token was revoked, and a fresh one may come until then
        self.waits_until = None  # for the first message, or for a verdict on a message

    @property
    def is_at_war(self):
        return self.steps >= self.peace

    @property
    def deadline(self):
        ends = self.token_ends, self.age_ends, self.renews_by
        return min((end for end in ends if end is not None), default=None)

    # -- What happens

    @initialize(
        how=st.sampled_from(["admitted", "admitted", "credential", "first message", "anonymous"]),
        rules=rules,
        peace=st.sampled_from([20, 10, 0]),
    )
    def open(self, how, rules, peace):
        self.rules, self.peace = rules, peace
        self.life = Watched(rules)
        match how:
            case "credential":
                self.life.present()
                self.is_verifying = True
            case "first message":
                self.speaks = True
                self.waits_until = self.now + rules.auth_timeout
                (required,) = self.hear(self.life.await_credential(self.now))
                assert required == {"type": "auth.required", "timeout": 10}
            case "anonymous":
                self.let_in(None, None)
            case "admitted":
                self.life.present()
                self.let_in(7, 100)
                self.accept(speaks=True)

    @precondition(lambda self: self.is_verifying)
    @rule(lifetime=lifetimes)
    def let_in_the_user(self, lifetime):
        self.is_verifying = False
        self.let_in(7, lifetime)

    def let_in(self, user, lifetime):
        self.waits_until = None
        if not self.is_over and self.users[-1:] in ([], [user]):
            self.users.append(user)
            self.renews_by = None
            age = self.rules.max_connection_age
            self.token_ends = None if lifetime is None else self.now + lifetime
            self.age_ends = None if age is None else self.now + age
        return self.hear(self.life.admit(user, lifetime, self.now))

    @precondition(lambda self: self.is_verifying)
    @rule(code=st.sampled_from(NOT_NOW), retry_after=st.none() | st.just(5))
    def refuse_for_now(self, code, retry_after):
        was_in, was_over = bool(self.users), self.is_over
        said = self.refuse(code, retry_after)
        if was_in and not was_over:
            told, *rest = said
            assert (told["type"], told["code"]) == ("auth.error", code)
            assert told["retry_after"] == retry_after
            assert self.is_over is (CloseReason.TOKEN_EXPIRED in rest)
        else:
            assert self.is_over

    @fatal
    @precondition(lambda self: self.is_verifying)
    @rule(code=st.sampled_from([code for code in CloseReason if code not in NOT_NOW]))
    def refuse_for_good(self, code):
        was_over, was_somebodys = self.is_over, bool(self.users)
        expected = CloseReason.TOKEN_EXPIRED if self.renews_by and code in OLD else code
        if code is CloseReason.IDENTITY_CHANGED and was_somebodys:
            self.is_verifying = False
            said = self.let_in(8, 100)
        else:
            said = self.refuse(code)
        assert closes(said) == [expected] * (not was_over)

    def refuse(self, code, retry_after=None):
        self.is_verifying, self.waits_until = False, None
        return self.hear(self.life.refuse(TokenAuthError(code, retry_after), self.now))

    @rule(speaks=st.sampled_from([True, True, False]))
    def accept(self, speaks):
        first = self.life.state is State.AUTHENTICATED and speaks and not self.speaks
        self.speaks = self.speaks or first
        said = self.hear(self.life.accept(speaks=speaks, now=self.now))
        assert [each["type"] for each in said[:1]] == ["auth.ok"] * first

    @fatal_before_admission
    @rule(frame=frames)
    def client_sends(self, frame):
        self.receive(frame)

    @precondition(lambda self: self.is_at_war or not self.is_verifying)
    @rule(token=st.text("abc", min_size=1, max_size=MAX))
    def client_authenticates(self, token):
        self.presented = token
        self.receive(auth(token))

    @fatal
    @rule(frame=violations)
    def client_breaks_the_protocol(self, frame):
        self.receive(frame)
        assert self.is_over or not self.speaks

    def receive(self, frame):
        state, life = self.life.state, self.life
        outputs = life.binary() if frame is BINARY else life.text(frame, self.now)
        if outputs is None:
            assert state in OPEN_TO_FRAMES
            assert self.users
            assert not self.is_over
            assert self.life.state is state
            assert not self.speaks or frame is BINARY or (frame != PING and '"auth"' not in frame)
        else:
            assert self.speaks or self.is_over or not self.users
            self.hear(outputs)

    @rule(passed=seconds)
    def time_passes_and_nobody_looks(self, passed):
        self.now += passed

    @rule(passed=seconds)
    def time_passes(self, passed):
        self.now += passed
        expected = self.due_now()
        assert closes(self.hear(self.life.tick(self.now))) == expected
        assert self.life.next_tick is None or self.life.next_tick > self.now

    def due_now(self):
        """The codes that the time alone closes with."""
        is_expired = self.deadline is not None and self.now >= self.deadline
        expired = [CloseReason.TOKEN_EXPIRED] if is_expired and not self.is_over else []
        if self.waits_until is None:
            return expired
        if self.now < self.waits_until:
            return []
        if self.users:
            return expired
        return [CloseReason.UNAVAILABLE if self.is_verifying else CloseReason.AUTH_TIMEOUT]

    @precondition(lambda self: self.users and self.users[0] is not None)
    @rule(left=seconds)
    def token_is_revoked_with_a_margin(self, left):
        end = self.now + left
        if not self.is_over:
            self.renews_by = end if self.renews_by is None else min(end, self.renews_by)
        expected, is_late = self.due_now(), self.waits_until is not None
        is_late = is_late and self.now >= self.waits_until  # its verification took too long
        said = self.hear(self.life.shorten(left, self.now))
        assert closes(said) == expected
        kinds = [each["type"] for each in said if not isinstance(each, CloseReason)]
        warned = ["auth.error"] * is_late + ["auth.expiring"]
        assert expected or kinds == warned * (self.speaks and not self.is_over)

    @rule(ahead=seconds)
    def calendar_goes_ahead(self, ahead):
        self.life.jump(ahead)
        if self.token_ends is not None and self.users:
            self.token_ends -= ahead

    @fatal
    @rule(code=st.sampled_from([CloseReason.TOKEN_REVOKED, CloseReason.UNAVAILABLE, PEER_LEAVES]))
    def end(self, code):
        was_over = self.is_over
        if code is PEER_LEAVES:
            self.life.leave()
            self.is_over, self.waits_until = True, None
        else:
            said = self.hear(self.life.end(TokenAuthError(code)))
            assert closes(said) == [code] * (not was_over)

    # -- What is said

    def hear(self, outputs):
        """Judge what a life does, in order; messages as objects, a close as its code."""
        said = []
        for output in outputs:
            assert not self.is_over
            match output:
                case Send(text) | Warn(text):
                    assert self.speaks
                    said.append(json.loads(text))
                    self.judge(said[-1])
                case Verify(secret):
                    assert secret.reveal() == self.presented
                    assert not self.is_verifying
                    assert None not in self.users
                    self.is_verifying = True
                    self.waits_until = self.now + self.rules.verify_timeout
                case Abandon():
                    assert self.is_verifying
                    assert self.now >= self.waits_until
                    self.is_verifying, self.waits_until = False, None
                case Close(code):
                    last_words = [
                        each["code"] for each in said[-1:] if each["type"] == "auth.error"
                    ]
                    assert last_words == [code] * self.speaks
                    said.append(code)
                    self.is_over, self.waits_until = True, None
        return said

    def judge(self, message):
        match message["type"]:
            case "auth.ok":
                assert len(set(self.users)) == 1
                user = self.users[0]
                assert message["user_id"] == (None if user is None else str(user))
                self.judge_time(message["expires_in"])
            case "auth.expiring":
                is_soon = self.deadline - self.now <= self.rules.expiry_warning
                assert is_soon or self.renews_by is not None
                self.judge_time(message["expires_in"])
            case "auth.error":
                assert message["code"] in set(CloseReason)
            case "auth.pong":
                assert self.users
            case other:
                assert (other, self.users) == ("auth.required", [])

    def judge_time(self, expires_in):
        if self.deadline is None:
            assert expires_in is None
        else:
            assert 0 <= expires_in <= max(0, self.deadline - self.now) < expires_in + 1

    # -- What holds always

    @invariant()
    def steps_are_counted(self):
        self.steps += 1

    @invariant()
    def closed_is_what_was_closed(self):
        assert (self.life.state is State.CLOSED) is self.is_over

    @invariant()
    def only_admitted_sockets_have_an_application(self):
        assert bool(self.users) or self.life.state not in OPEN_TO_FRAMES

    @invariant()
    def it_is_looked_at_no_later_than_its_end(self):
        if self.waits_until is not None:
            assert self.life.next_tick == self.waits_until
        elif self.is_over or self.deadline is None:
            assert self.life.next_tick is None
        else:
            assert self.life.next_tick <= self.deadline


TestLife = Life.TestCase
TestLife.settings = times(4, stateful_step_count=25)
