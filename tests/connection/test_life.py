"""A socket's life, driven: first message, expiry, reauthentication."""

import asyncio
import json
import weakref
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime

import pytest

from channels_token_auth import conf
from channels_token_auth.clock import Clock, clock
from channels_token_auth.connection import transport
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.deadlines import Deadlines, deadlines
from channels_token_auth.verification import test_mode
from channels_token_auth.verification.route import Route
from tests.connection.backend import store
from tests.connection.server import ACCEPT, CONNECT, LossyServer, Server, scope, sends, text
from tests.connection.sockets import open_sockets
from tests.connection.turns import rest
from tests.memory import kept_by

pytestmark = pytest.mark.usefixtures("each_kind_of_server")

OFFER = ["token-auth.v1"]
HOUR = 3600
VERIFY_TIMEOUT = 60


@pytest.fixture(autouse=True)
def site(settings, monkeypatch):
    monkeypatch.setattr(test_mode, "forced", False)  # verify in the library's own thread
    monkeypatch.setattr(transport, "CLOSE_TIMEOUT", 0.2)
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.connection.backend.StoreBackend"}],
        "LOCATIONS": ["header", "subprotocol", "first_message"],
        # By the event loop's own time, not by that of the tests, for which a machine may be slow.
        "VERIFY_TIMEOUT": VERIFY_TIMEOUT,
    }
    store.tokens = {
        "alice": (1, HOUR),
        "alice2": (1, 2 * HOUR),
        "bob": (2, HOUR),
        "ever": (1, None),
    }
    store.tokens["away"] = TokenAuthError(CloseReason.UNAVAILABLE, retry_after=5)
    store.tokens["gone"] = TokenAuthError(CloseReason.TOKEN_REVOKED)
    yield settings
    store.opened.set()
    assert not open_sockets()


@pytest.fixture(autouse=True)
def time(monkeypatch):
    """A clock that stands still until it is moved."""

    class Moved:
        steady_by = calendar_by = 0.0

        async def pass_by(self, seconds, *, asleep=False):
            self.calendar_by += seconds
            self.steady_by += 0 if asleep else seconds
            deadlines().run()
            await rest(0.05)

        def at(self, seconds):
            return datetime.fromtimestamp(calendar + self.calendar_by + seconds, UTC)

    moved = Moved()
    steady, calendar = int(clock.steady()), int(clock.calendar())
    monkeypatch.setattr(clock, "steady", lambda: steady + moved.steady_by)
    monkeypatch.setattr(clock, "calendar", lambda: calendar + moved.calendar_by)
    return moved


class Browser:
    """The client's side of a socket, and the application's notes on it."""

    def __init__(self, *, application=None, overrides=None, gone=False, server=None, **values):
        self.server = server or Server(CONNECT, gone=gone)
        self.scope = None
        self.events = []
        self._application = application
        middleware = TokenAuthMiddleware(self.application, **(overrides or {}))
        served = middleware(scope(**values), self.server.receive, self.server.send)
        self.task = asyncio.create_task(served)

    async def application(self, scope, receive, send):
        self.scope = scope
        if self._application:
            await self._application(scope, receive, send)
            return
        self.events.append(await receive())
        await send(ACCEPT)
        while self.events[-1]["type"] != "websocket.disconnect":
            self.events.append(await receive())
            if "text" in self.events[-1]:
                await send(sends("echo " + self.events[-1]["text"]))

    async def say(self, frame):
        """A text frame, a binary one, or a message as an object."""
        match frame:
            case bytes():
                await self.do({"type": "websocket.receive", "bytes": frame})
            case dict():
                await self.do(text(json.dumps(frame)))
            case _:
                await self.do(text(frame))

    async def do(self, event):
        self.server.inbox.put_nowait(event)
        await self.settle()

    async def settle(self):
        """Until nothing moves any more: at most a second, where something is held on purpose."""
        looks = idle = 0  # twice in a row: a socket that was just let in starts its application
        while looks < 100 and idle < 2 and not self.task.done():
            await asyncio.sleep(0.01)
            verifying = not store.holds and any(map(_is_verifying, open_sockets()))
            # The verification may take as long as a slow machine needs for it.
            looks += not verifying
            idle = idle + 1 if self.server.is_idle and not verifying else 0

    def heard(self):
        """Return what the client received since the last call: messages, and close codes."""
        sent, self.server.sent = self.server.sent, []
        return [_short(message) for message in sent]

    async def leave(self):
        await self.do({"type": "websocket.disconnect", "code": 1001})
        await self.task


def _is_verifying(connection):
    return (
        connection._verifier and not connection._verifier.done()
    )  # private: nothing public shows a verification


def _short(message):
    match message:
        case {"type": "websocket.send", "text": str(frame)} if frame.startswith("{"):
            return json.loads(frame)
        case {"type": "websocket.send", "text": frame}:
            return frame
        case {"type": "websocket.close", "code": code}:
            return code
        case {"type": "websocket.accept"}:
            return "accept"
    return message


async def open_socket(token="alice", **values):
    browser = Browser(
        headers=[(b"authorization", b"Token " + token.encode())], subprotocols=OFFER, **values
    )
    await browser.settle()
    return browser


def ok(expires_in=HOUR, user_id="1"):
    return {"type": "auth.ok", "expires_in": expires_in, "user_id": user_id}


def error(code, *, retry=False, retry_after=None):
    return {"type": "auth.error", "code": code, "retry": retry, "retry_after": retry_after}


def auth(token):
    return {"type": "auth", "token": token}


UNAVAILABLE = error("unavailable", retry=True, retry_after=5)


# -- First message


@pytest.mark.asvs("2.3.1")
async def test_a_first_message_lets_in_and_the_application_starts_after_auth_ok():
    browser = Browser()
    await browser.settle()
    assert browser.heard() == ["accept", {"type": "auth.required", "timeout": 10}]
    assert browser.scope is None
    await browser.say(auth("alice"))
    assert browser.heard() == [ok()]
    assert browser.scope["user"].pk == 1
    assert browser.scope["auth"].location == "first_message"
    await browser.say("hello")
    assert browser.heard() == ["echo hello"]
    await browser.leave()
    assert browser.events[0] == CONNECT


async def test_frame_in_response_to_auth_ok_is_delivered_where_a_cancelled_receive_loses_one():
    browser = Browser(server=LossyServer(CONNECT))
    await browser.say(auth("alice"))
    await browser.say("hello")
    assert browser.heard()[-1] == "echo hello"
    await browser.leave()


@pytest.mark.parametrize(
    ("frame", "code", "slug"),
    [
        ("hello", 4401, "token_missing"),
        ("{", 4401, "token_missing"),
        ("[]", 4401, "token_missing"),
        (b"\x00", 4400, "malformed"),
        ('{"type":"auth","token":"alice"', 4400, "malformed"),
        ({"type": "auth.ping"}, 4401, "token_missing"),
        ({"type": "auth"}, 4400, "malformed"),
        (auth(""), 4400, "malformed"),
        (auth("a b"), 4400, "malformed"),
        (auth("x" * 4097), 4400, "malformed"),
        (auth("x" * 5000), 4413, "too_large"),
        (auth("wrong"), 4401, "token_invalid"),
        (auth("gone"), 4410, "token_revoked"),
    ],
)
async def test_another_first_message_gets_the_reason_and_is_closed(frame, code, slug):
    browser = Browser()
    await browser.say(frame)
    await browser.task
    assert browser.heard()[2:] == [error(slug), code]
    assert browser.scope is None


@pytest.mark.asvs("2.3.1")
async def test_a_second_frame_before_auth_ok_is_malformed():
    store.opened.clear()
    browser = Browser()
    await browser.say(auth("alice"))
    await browser.say("too early")
    await browser.task
    assert browser.heard()[2:] == [error("malformed"), 4400]


async def test_a_client_that_leaves_before_its_first_message_starts_no_application():
    browser = Browser()
    await browser.leave()
    assert browser.scope is None


async def test_a_client_that_leaves_while_it_is_verified_starts_no_application():
    store.opened.clear()
    browser = Browser()
    await browser.say(auth("alice"))
    await browser.leave()
    assert browser.scope is None


async def test_silence_is_closed_with_4408(time):
    browser = Browser()
    await browser.settle()
    await time.pass_by(10)
    await browser.task
    assert browser.heard()[2:] == [error("auth_timeout", retry=True), 4408]


async def test_a_foreign_subprotocol_without_a_credential_waits_for_no_message():
    browser = Browser(subprotocols=["chat"])
    await browser.task
    assert browser.heard() == [4401]


async def test_a_denial_by_an_application_that_never_shook_hands_becomes_4403():
    async def deny(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})
        assert (await receive())["code"] == 4403

    browser = Browser(application=deny)
    await browser.say(auth("alice"))
    await browser.task
    assert browser.heard()[2:] == [ok(), error("forbidden"), 4403]


# -- auth.ok, ping


async def test_auth_ok_comes_after_accept_and_before_any_frame_of_the_application():
    async def eager(scope, receive, send):
        await send(ACCEPT)
        await send(sends("first"))

    browser = await open_socket(application=eager)
    await browser.task
    assert browser.heard()[:3] == ["accept", ok(), "first"]


async def test_the_authentication_shows_all_that_is_known_of_the_token():
    browser = await open_socket()
    shown, (connection,) = browser.scope["auth"], open_sockets()
    names = [field.name for field in fields(shown.current)]
    assert [getattr(shown, name) for name in names] == list(astuple(shown.current))
    assert repr(shown) == repr(shown.current)
    assert connection.path == "/"
    await browser.leave()


async def test_a_peer_that_has_gone_costs_no_exception():
    browser = Browser(gone=True)
    await browser.leave()
    assert browser.scope is None


async def test_a_token_without_expiry_expires_in_null():
    browser = await open_socket("ever")
    assert browser.heard()[1] == ok(None)
    await browser.leave()


async def test_a_ping_is_answered_and_other_frames_are_the_applications():
    browser = await open_socket()
    browser.heard()
    await browser.say({"type": "auth.ping"})
    await browser.say('{"type":"authors"}')
    assert browser.heard() == [{"type": "auth.pong"}, 'echo {"type":"authors"}']
    await browser.leave()


async def test_without_our_subprotocol_every_frame_is_the_applications():
    browser = Browser(headers=[(b"authorization", b"Token alice")])
    await browser.settle()
    await browser.say('{"type":"auth.ping"}')
    await browser.say(b"\x00")
    assert browser.heard() == ["accept", 'echo {"type":"auth.ping"}']
    assert browser.events[-1]["bytes"] == b"\x00"
    await browser.leave()


# -- Expiry


async def test_a_socket_is_warned_and_closed_with_4419_with_no_traffic(time):
    browser = await open_socket()
    browser.heard()
    await time.pass_by(HOUR - 30)
    assert browser.heard() == [{"type": "auth.expiring", "expires_in": 30}]
    await time.pass_by(30)
    await browser.task
    assert browser.heard() == [error("token_expired", retry=True), 4419]
    assert browser.events[-1]["code"] == 4419


async def test_less_time_than_the_warning_is_warned_at_once():
    store.tokens["soon"] = (1, 10)
    browser = await open_socket("soon")
    assert browser.heard()[1:] == [ok(10), {"type": "auth.expiring", "expires_in": 10}]
    await browser.leave()


async def test_a_socket_without_our_subprotocol_is_closed_with_4419_too(time):
    browser = Browser(headers=[(b"authorization", b"Token alice")])
    await browser.settle()
    await time.pass_by(HOUR)
    await browser.task
    assert browser.heard() == ["accept", 4419]


@pytest.mark.asvs("7.3.2")
async def test_max_connection_age_closes_tokens_that_never_expire(time):
    browser = await open_socket("ever", overrides={"max_connection_age": 60})
    assert browser.heard()[1] == ok(60)
    await time.pass_by(60)
    await browser.task
    assert browser.heard()[-1] == 4419


async def test_a_calendar_that_went_ahead_ends_tokens_sooner(time):
    browser = await open_socket()
    await time.pass_by(HOUR, asleep=True)
    await browser.task
    assert browser.heard()[-1] == 4419


async def test_a_calendar_that_was_set_back_keeps_nothing_alive(time):
    browser = await open_socket()
    time.calendar_by = -10 * HOUR
    deadlines().run()
    await time.pass_by(HOUR)
    await browser.task
    assert browser.heard()[-1] == 4419


async def test_a_token_that_expired_before_its_socket_opened_is_refused():
    store.tokens["late"] = (1, -1)
    browser = await open_socket("late")
    await browser.task
    assert browser.heard() == ["accept", error("token_expired", retry=True), 4419]


async def test_a_remembered_token_is_refused_once_it_has_expired(time):
    store.tokens["short"] = (1, 60)  # asked again, the store would give it another minute
    route, short = (
        Route(conf.configuration()),
        Credential(location="header", secret=Secret("short")),
    )
    assert (await route.verify(short)).user.pk == 1
    await time.pass_by(60)
    with pytest.raises(TokenAuthError) as refused:
        await route.verify(short)
    assert refused.value.code is CloseReason.TOKEN_EXPIRED


# -- Reauthentication


async def test_reauthentication_extends_in_place_and_the_scope_follows(time):
    browser = await open_socket()
    user, auth_object = browser.scope["user"], browser.scope["auth"]
    before = auth_object.token_id
    browser.heard()
    await browser.say(auth("alice2"))
    assert browser.heard() == [ok(2 * HOUR)]
    assert browser.scope["user"] is user
    assert user.first_name == auth_object.token_id != before
    await time.pass_by(HOUR + 60)
    assert browser.heard() == []
    await browser.leave()
    assert [event["type"] for event in browser.events] == [
        "websocket.connect",
        "websocket.disconnect",
    ]


async def test_reauthentication_leaves_the_location_of_the_socket():
    browser = await open_socket()
    await browser.say(auth("alice2"))
    assert browser.scope["auth"].location == "header"
    await browser.leave()


@pytest.mark.parametrize("seconds", [60, 3 * HOUR])
async def test_socket_follows_the_end_that_a_sweep_finds(seconds, time):
    browser = await open_socket()
    browser.heard()
    (connection,) = open_sockets()
    found = replace(
        browser.scope["auth"].current, expires_at=time.at(seconds), scopes=frozenset("a")
    )
    connection.follow(Identity(user=browser.scope["user"], authentication=found))
    assert browser.scope["auth"].current == found
    await time.pass_by(seconds - 30)
    assert browser.heard() == [{"type": "auth.expiring", "expires_in": 30}]
    await time.pass_by(30)
    await browser.task
    assert browser.heard()[-1] == 4419


async def test_a_shorter_new_expiry_counts(time):
    browser = await open_socket("alice2")
    await browser.say(auth("alice"))
    await time.pass_by(HOUR)
    await browser.task
    assert browser.heard()[-1] == 4419


@pytest.mark.parametrize(
    ("token", "code", "slug"),
    [
        ("bob", 4409, "identity_changed"),
        ("wrong", 4401, "token_invalid"),
        ("gone", 4410, "token_revoked"),
        ("a b", 4400, "malformed"),
    ],
)
async def test_a_reauthentication_that_fails_closes(token, code, slug):
    browser = await open_socket()
    browser.heard()
    await browser.say(auth(token))
    await browser.task
    assert browser.heard() == [error(slug), code]
    assert browser.scope["user"].pk == 1


async def test_a_store_that_is_away_leaves_the_socket_on_its_old_deadline(time):
    browser = await open_socket()
    browser.heard()
    await browser.say(auth("away"))
    assert browser.heard() == [error("unavailable", retry=True, retry_after=5)]
    await time.pass_by(HOUR)
    await browser.task
    assert browser.heard()[-1] == 4419


async def test_frames_pass_under_the_old_identity_while_a_token_is_verified():
    browser = await open_socket()
    browser.heard()
    store.opened.clear()
    await browser.say(auth("alice2"))
    await browser.say("meanwhile")
    assert browser.heard() == ["echo meanwhile"]
    store.opened.set()
    await browser.settle()
    assert browser.heard() == [ok(2 * HOUR)]
    await browser.leave()


async def test_two_reauthentications_at_once_are_closed_with_4429():
    browser = await open_socket()
    browser.heard()
    store.opened.clear()
    await browser.say(auth("alice2"))
    await browser.say(auth("alice2"))
    await browser.task
    assert browser.heard() == [error("rate_limited", retry=True, retry_after=60), 4429]


async def test_a_flood_of_good_tokens_is_closed_with_4429():
    browser = await open_socket()
    for _ in range(10):
        await browser.say(auth("alice2"))
    assert browser.heard().count(ok(2 * HOUR)) == 10
    await browser.say(auth("alice2"))
    await browser.task
    assert browser.heard()[-1] == 4429


async def test_expiry_during_a_verification_waits_for_a_good_verdict(time):
    browser = await open_socket()
    await time.pass_by(HOUR - 1)
    browser.heard()
    store.opened.clear()
    await browser.say(auth("alice2"))
    await time.pass_by(2)
    assert browser.heard() == []
    store.opened.set()
    await browser.settle()
    assert browser.heard() == [ok(2 * HOUR)]
    await browser.leave()


async def test_expiry_during_a_verification_closes_where_the_store_is_away(time):
    browser = await open_socket()
    await time.pass_by(HOUR - 1)
    browser.heard()
    store.opened.clear()
    await browser.say(auth("away"))
    await time.pass_by(2)
    store.opened.set()
    await browser.settle()
    await browser.task
    assert [m if isinstance(m, int) else m["code"] for m in browser.heard()] == [
        "unavailable",
        "token_expired",
        4419,
    ]


async def test_a_close_while_a_token_is_verified_is_final():
    browser = await open_socket()
    browser.heard()
    store.opened.clear()
    await browser.say(auth("alice2"))
    (connection,) = open_sockets()
    connection.close(CloseReason.TOKEN_REVOKED)
    store.opened.set()
    await browser.task
    assert browser.heard() == [error("token_revoked"), 4410]


async def test_an_anonymous_socket_may_not_authenticate_later():
    overrides = {"anonymous": True, "locations": ["header", "subprotocol"]}
    browser = Browser(subprotocols=OFFER, overrides=overrides)
    await browser.settle()
    assert browser.heard() == ["accept", ok(None, None)]
    await browser.say(auth("alice"))
    await browser.task
    assert browser.heard() == [error("identity_changed"), 4409]


async def test_a_close_during_the_handshake_refuses_it():
    store.opened.clear()
    browser = await open_socket()
    (connection,) = open_sockets()
    connection.close(CloseReason.UNAVAILABLE)
    store.opened.set()
    await browser.task
    assert browser.heard() == ["accept", error("unavailable", retry=True), 4503]
    assert browser.scope is None


# -- A consumer that wants to know


async def test_an_application_that_subscribed_gets_reauthentication_and_expiry_in_order(time):
    async def application(scope, receive, send):
        scope["auth"].subscribe()
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] != "websocket.disconnect":
            events.append(event)

    events = []
    browser = await open_socket(application=application)
    await browser.say("before")
    await browser.say(auth("alice2"))
    await browser.say("after")
    await time.pass_by(2 * HOUR - 30)
    await browser.leave()
    assert events == [
        text("before"),
        {"type": "auth.reauthenticated"},
        text("after"),
        {"type": "auth.expiring", "expires_in": 30},
    ]


async def test_frames_around_a_reauthentication_are_delivered_to_a_subscribed_application():
    async def application(scope, receive, send):
        scope["auth"].subscribe()
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] != "websocket.disconnect":
            events.append(event.get("text", event["type"]))

    events = []
    browser = await open_socket(application=application, server=LossyServer(CONNECT))
    for number in range(5):
        await browser.say(auth("alice2"))
        await browser.say(str(number))
    await browser.leave()
    assert events == [each for n in range(5) for each in ("auth.reauthenticated", str(n))]


async def test_subscribed_application_gets_no_warning_where_only_a_verification_timed_out(time):
    async def application(scope, receive, send):
        scope["auth"].subscribe()
        await receive()
        await send(ACCEPT)
        while (event := await receive())["type"] != "websocket.disconnect":
            events.append(event)

    events = []
    browser = await open_socket(application=application)
    store.opened.clear()
    await browser.say(auth("alice2"))
    await time.pass_by(VERIFY_TIMEOUT)
    assert browser.heard()[-1] == UNAVAILABLE
    assert events == []
    await browser.leave()


async def test_changes_wait_for_a_busy_application(time):
    done = asyncio.Event()

    async def application(scope, receive, send):
        scope["auth"].subscribe()
        await receive()
        await send(ACCEPT)
        await done.wait()
        events.append(await receive())
        await receive()

    events = []
    browser = await open_socket(application=application)
    await time.pass_by(HOUR - 30)
    done.set()
    await browser.settle()
    assert events == [{"type": "auth.expiring", "expires_in": 30}]
    await browser.leave()


# -- Closed while something is being sent or verified


class SlowServer(Server):
    """Takes its time over an accept."""

    def __init__(self, *events):
        super().__init__(*events)
        self.accepting = asyncio.Event()

    async def send(self, message):
        if message["type"] == "websocket.accept":
            self.accepting.set()
            await asyncio.sleep(0.05)
        await super().send(message)


async def closed_during_accept(application=None, **values):
    browser = Browser(application=application, server=SlowServer(CONNECT), **values)
    await browser.server.accepting.wait()
    (connection,) = open_sockets()
    connection.close(CloseReason.UNAVAILABLE)
    await browser.task
    return browser


async def test_a_close_while_the_accept_for_a_first_message_is_sent_ends_it_once():
    browser = await closed_during_accept()
    assert {"type": "auth.required", "timeout": 10} not in browser.heard()
    assert browser.scope is None


async def test_a_close_while_the_applications_accept_is_sent_says_no_auth_ok():
    async def eager(scope, receive, send):
        await send(ACCEPT)

    headers = [(b"authorization", b"Token alice")]
    browser = await closed_during_accept(eager, headers=headers, subprotocols=OFFER)
    heard = browser.heard()
    assert ok() not in heard
    assert [error("unavailable", retry=True), 4503] == [m for m in heard if m != "accept"]


async def test_a_close_while_a_bad_token_is_verified_refuses_once():
    store.opened.clear()
    browser = await open_socket("wrong")
    (connection,) = open_sockets()
    connection.close(CloseReason.UNAVAILABLE)
    store.opened.set()
    await browser.task
    assert browser.heard() == ["accept", error("unavailable", retry=True), 4503]


# -- What nobody expects of a verification


class Unreadable:
    """A user object that a backend should not have returned."""

    @property
    def pk(self):
        raise LookupError("a database query in the event loop")


TROUBLE = "channels_token_auth"


@pytest.fixture
def odd():
    store.tokens["odd-canary"] = (Unreadable(), HOUR)


@pytest.mark.usefixtures("odd")
@pytest.mark.asvs("16.5.1", "16.5.4")
async def test_unexpected_error_refuses_a_handshake_with_4503(caplog):
    browser = await open_socket("odd-canary")
    await browser.task
    assert browser.heard() == ["accept", UNAVAILABLE, 4503]
    levels = [each.levelname for each in caplog.records if each.name == TROUBLE]
    assert levels.count("ERROR") == 1  # a line of the refusal may follow


@pytest.mark.usefixtures("odd")
async def test_unexpected_error_closes_a_socket_after_its_first_message_with_4503(caplog):
    browser = Browser()
    await browser.say(auth("odd-canary"))
    await browser.task
    assert browser.heard()[2:] == [UNAVAILABLE, 4503]
    levels = [each.levelname for each in caplog.records if each.name == TROUBLE]
    assert levels.count("ERROR") == 1


@pytest.mark.usefixtures("odd")
async def test_unexpected_error_in_a_reauthentication_leaves_the_socket_on_its_old_deadline(time):
    browser = await open_socket()
    browser.heard()
    await browser.say(auth("odd-canary"))
    assert browser.heard() == [UNAVAILABLE]
    await browser.say(auth("alice2"))
    assert browser.heard() == [ok(2 * HOUR)]
    await time.pass_by(2 * HOUR)
    await browser.task
    assert browser.heard()[-1] == 4419


@pytest.mark.usefixtures("odd")
@pytest.mark.asvs("16.3.4")
async def test_unexpected_error_is_logged_without_the_token_and_its_frames(caplog):
    browser = await open_socket("odd-canary")
    await browser.task
    (record,) = (r for r in caplog.records if r.name == TROUBLE and r.levelname == "ERROR")
    assert "LookupError" in record.getMessage()
    assert "canary" not in record.getMessage()
    assert record.exc_info is None


async def test_verification_that_never_ends_closes_a_first_message_with_4503(time):
    store.opened.clear()
    browser = Browser()
    await browser.say(auth("alice"))
    await time.pass_by(VERIFY_TIMEOUT)
    await browser.task
    assert browser.heard()[2:] == [UNAVAILABLE, 4503]


async def test_verification_that_never_ends_leaves_an_open_socket_on_its_old_deadline(time):
    browser = await open_socket()
    browser.heard()
    store.opened.clear()
    await browser.say(auth("alice2"))
    await time.pass_by(VERIFY_TIMEOUT)
    assert browser.heard() == [UNAVAILABLE]
    store.opened.set()
    await browser.settle()
    assert browser.heard() == []  # the verdict no longer counts
    await time.pass_by(HOUR)
    await browser.task
    assert browser.heard()[-1] == 4419


# -- The heap


class Entry:
    """Something with a deadline."""

    def __init__(self, due):
        self.next_tick = due
        self.ticks = 0

    def tick(self):
        self.ticks += 1
        self.next_tick = None


async def test_a_thousand_sockets_that_came_and_went_leave_the_heap_small():
    heap = Deadlines(Clock())
    for number in range(1000):
        entry = Entry(clock.steady() + HOUR)
        heap.watch(entry, entry.next_tick)
        # Once, since it follows all that the event loop refers to.
        assert number < 999 or kept_by(heap, asyncio.TimerHandle)
        entry.next_tick = None
        heap.watch(entry, entry.next_tick)
    assert len(kept_by(heap, Entry)) <= 65
    assert not kept_by(heap, asyncio.TimerHandle)


async def test_last_socket_that_goes_is_not_kept_in_memory():
    heap, entry = Deadlines(Clock()), Entry(clock.steady() + HOUR)
    gone = weakref.ref(entry)
    heap.watch(entry, entry.next_tick)
    entry.next_tick = None
    heap.watch(entry, entry.next_tick)
    del entry
    assert gone() is None


async def test_the_timer_looks_when_the_first_is_due():
    real = Clock()
    heap, entry = Deadlines(real), Entry(real.steady() + 0.02)
    heap.watch(Entry(None), real.steady() + HOUR)
    heap.watch(entry, entry.next_tick)
    async with asyncio.timeout(60):
        while not entry.ticks:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert entry.ticks == 1


async def test_timer_is_set_again_for_an_earlier_deadline_only(monkeypatch):
    waits, loop, now = [], asyncio.get_running_loop(), clock.steady()

    def call_later(seconds, call):
        waits.append(seconds)
        return loop.call_at(loop.time() + HOUR, call)

    monkeypatch.setattr(loop, "call_later", call_later)
    heap, entries = Deadlines(clock), [Entry(now + HOUR + number) for number in range(50)]
    for entry in entries:
        heap.watch(entry, entry.next_tick)
    assert waits == [1]
    heap.watch(soon := Entry(now), now)
    assert waits == [1, 0]
    heap.run()
    assert (soon.ticks, waits) == (1, [1, 0, 1])
    for entry in entries:
        entry.next_tick = None
        heap.watch(entry, entry.next_tick)


async def test_a_receive_that_the_application_gave_up_is_not_cancelled_later():
    done = asyncio.Event()

    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await receive()
        gave_up.set()
        await done.wait()
        assert (await receive())["code"] == 4410

    gave_up = asyncio.Event()
    browser = await open_socket(application=application)
    await gave_up.wait()
    (connection,) = open_sockets()
    connection.close(CloseReason.TOKEN_REVOKED)
    await asyncio.sleep(0.02)
    done.set()
    await browser.task


# -- Cookies of one name


@pytest.mark.parametrize(
    ("cookies", "outcome"),
    [
        (["alice"], "in"),
        (["alice", "alice"], "in"),
        (["alice2", "alice"], "in"),  # the same user
        (["wrong", "alice"], "in"),
        (["gone", "wrong", "alice"], "in"),
        (["alice", "wrong"], 4401),  # the last one counts, as in Django
        (["bob", "alice"], 4400),
        (["bob", "wrong", "alice"], 4400),
        (["away", "alice"], 4503),
        (["a", "b", "c", "d", "alice"], 4400),
    ],
)
@pytest.mark.asvs("2.2.3", "15.3.7")
async def test_cookies_of_one_name_let_in_unless_they_are_of_two_users(cookies, outcome):
    line = "; ".join(f"token={each}" for each in cookies).encode()
    headers = [(b"origin", b"https://example.com"), (b"cookie", line)]
    overrides = {"locations": ["cookie"], "allowed_origins": ["https://example.com"]}
    browser = Browser(headers=headers, overrides=overrides)
    await browser.settle()
    if outcome == "in":
        assert browser.scope["user"].pk == 1
        await browser.leave()
    else:
        await browser.task
        assert browser.heard() == ["accept", outcome]


# -- Scopes

READ = {"overrides": {"scopes": ["read"]}}


@pytest.fixture
def tokens():
    store.tokens |= {"reader": (1, HOUR, "read"), "writer": (1, 2 * HOUR, "read", "write")}


@pytest.mark.usefixtures("tokens")
async def test_a_token_that_lacks_a_scope_is_forbidden_in_the_handshake():
    browser = await open_socket("alice", **READ)
    await browser.task
    assert browser.heard() == ["accept", error("forbidden"), 4403]
    assert browser.scope is None


@pytest.mark.usefixtures("tokens")
async def test_a_token_that_lacks_a_scope_is_forbidden_as_a_first_message():
    browser = Browser(**READ)
    await browser.say(auth("alice"))
    await browser.task
    assert browser.heard()[2:] == [error("forbidden"), 4403]
    assert browser.scope is None


@pytest.mark.usefixtures("tokens")
async def test_a_token_that_lacks_a_scope_is_forbidden_on_an_open_socket():
    browser = await open_socket("reader", **READ)
    assert browser.heard() == ["accept", ok()]
    await browser.say(auth("alice"))
    await browser.task
    assert browser.heard() == [error("forbidden"), 4403]
    assert browser.events[-1]["code"] == 4403


@pytest.mark.usefixtures("tokens")
async def test_scopes_of_a_live_socket_follow_reauthentication():
    browser = await open_socket("reader", **READ)
    assert browser.scope["auth"].scopes == {"read"}
    await browser.say(auth("writer"))
    assert browser.scope["auth"].scopes == {"read", "write"}
    await browser.leave()


async def test_an_expired_token_without_the_scopes_is_answered_as_expired():
    store.tokens["late"] = (1, -1)
    browser = await open_socket("late", **READ)
    await browser.task
    assert browser.heard()[-1] == 4419


# -- An error of ours that leaves the application


def failing(*messages, error):
    async def application(scope, receive, send):
        await receive()
        for message in messages:
            await send(message)
        raise error

    return application


@pytest.mark.parametrize(
    ("refusal", "heard"),
    [
        (TokenAuthError(CloseReason.FORBIDDEN), [error("forbidden"), 4403]),
        (
            TokenAuthError(CloseReason.RATE_LIMITED, retry_after=7),
            [error("rate_limited", retry=True, retry_after=7), 4429],
        ),
    ],
)
async def test_an_error_that_the_application_lets_pass_closes_with_its_code(refusal, heard):
    browser = await open_socket(application=failing(ACCEPT, error=refusal))
    await browser.task
    assert browser.heard() == ["accept", ok(), *heard]


async def test_an_error_before_accept_is_a_refusal():
    browser = await open_socket(application=failing(error=TokenAuthError(CloseReason.FORBIDDEN)))
    await browser.task
    assert browser.heard() == ["accept", error("forbidden"), 4403]


async def test_an_error_before_accept_closes_a_socket_that_a_first_message_let_in():
    browser = Browser(application=failing(error=TokenAuthError(CloseReason.FORBIDDEN)))
    await browser.say(auth("alice"))
    await browser.task
    assert browser.heard()[2:] == [ok(), error("forbidden"), 4403]


async def test_an_error_after_the_applications_own_close_changes_nothing():
    last = {"type": "websocket.close", "code": 4000}
    error = TokenAuthError(CloseReason.FORBIDDEN)
    browser = await open_socket(application=failing(ACCEPT, last, error=error))
    await browser.task
    assert browser.heard()[2:] == [4000]


async def test_an_error_that_is_not_ours_passes_on_to_the_server():
    browser = await open_socket(application=failing(ACCEPT, error=ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        await browser.task
