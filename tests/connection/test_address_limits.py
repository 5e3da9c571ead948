"""The limits of one address, and of sockets that are not authenticated, in every moment."""

import asyncio
import threading

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import Limit
from channels_token_auth.limits import shared_counters
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import HandshakeRefused, LimitReached, subscribe
from channels_token_auth.observability.outages import current_outages
from tests.connection.backend import store
from tests.connection.server import ACCEPT, CONNECT, Server, scope
from tests.connection.test_interleavings import until
from tests.connection.test_life import OFFER, Browser, auth, error, ok, site, time

__all__ = ["site", "time"]  # fixtures

CLIENT = ("203.0.113.1", 4711)
TOO_OFTEN = [error("rate_limited", retry=True, retry_after=60), 4429]
BUSY = [error("rate_limited", retry=True, retry_after=5), 4429]
REQUIRED = {"type": "auth.required", "timeout": 10}


def failures(count, **limits):
    return {"limits": {"FAILURES": f"{count}/min", **limits}}


def waiting(**places):
    return {"limits": {"WAITING": places}}


async def connect(token=None, **values):
    headers = values.pop("headers", [])
    headers += [(b"authorization", b"Token " + token.encode())] if token else []
    browser = Browser(headers=headers, subprotocols=OFFER, **{"client": CLIENT, **values})
    await browser.settle()
    return browser


async def answer(token=None, **values):
    browser = await connect(token, **values)
    await browser.leave() if not browser.task.done() else None
    return browser.heard()


@pytest.fixture
def events():
    noted = []
    ends = [subscribe(kind, noted.append) for kind in (LimitReached, HandshakeRefused)]
    yield noted
    for end in ends:
        end()


# -- Failures


@pytest.mark.asvs("6.3.1")
async def test_address_with_too_many_failures_is_refused_before_any_query(events):
    for _ in range(2):
        assert (await answer("bad", overrides=failures(2)))[-1] == 4401
    store.opened.clear()  # whoever asks the store now waits
    assert (await answer("alice", overrides=failures(2))) == ["accept", *TOO_OFTEN]
    assert [event.limit for event in events if isinstance(event, LimitReached)] == [Limit.FAILURES]
    assert events[-1].detail.slug == "limit_failures"


async def test_window_that_has_ended_lets_in_again(time):
    await answer("bad", overrides=failures(1))
    await time.pass_by(59.5)
    assert (await answer("alice", overrides=failures(1)))[-1] == 4429
    await time.pass_by(0.5)
    assert ok() in await answer("alice", overrides=failures(1))


async def test_another_address_is_not_refused():
    await answer("bad", overrides=failures(1))
    assert ok() in await answer("alice", overrides=failures(1), client=("203.0.113.2", 1))


async def test_client_that_is_no_browser_gets_429_and_retry_after():
    await answer("bad", overrides=failures(1))
    server = Server(CONNECT)
    browser = Browser(
        server=server,
        headers=[(b"authorization", b"Token alice")],
        client=CLIENT,
        extensions={"websocket.http.response": {}},
        overrides=failures(1),
    )
    await browser.settle()
    assert server.sent[0]["status"] == 429
    assert dict(server.sent[0]["headers"])[b"retry-after"] == b"60"


@pytest.mark.parametrize("token", ["gone", "away"])
async def test_token_that_was_good_once_is_no_failure(token):
    for _ in range(3):
        assert (await answer(token, overrides=failures(1)))[-1] != 4429


async def test_handshake_without_a_token_is_no_failure():
    overrides = failures(1) | {"locations": ["header"]}
    for _ in range(3):
        assert (await answer(overrides=overrides))[-1] == 4401


async def test_malformed_handshake_is_a_failure():
    twice = [(b"authorization", b"Token a"), (b"authorization", b"Token b")]
    assert (await answer(headers=[*twice], overrides=failures(1)))[-1] == 4400
    assert (await answer("alice", overrides=failures(1)))[-1] == 4429


@pytest.mark.parametrize("frame", [auth("bad"), auth(""), '{"type":"auth', b"binary"])
async def test_rejected_first_message_is_a_failure(frame):
    browser = await connect(overrides=failures(1))
    await browser.say(frame)
    assert browser.heard()[-1] in (4400, 4401)
    assert (await answer("alice", overrides=failures(1)))[-1] == 4429


async def test_first_message_of_an_address_over_the_limit_asks_no_store():
    browser = await connect(overrides=failures(1))
    await answer("bad", overrides=failures(1))
    store.opened.clear()
    browser.heard()
    await browser.say(auth("alice"))
    assert browser.heard() == TOO_OFTEN


@pytest.mark.parametrize("frame", [auth("bad"), auth("")])
async def test_rejected_reauthentication_is_a_failure(frame):
    browser = await connect("alice", overrides=failures(1))
    await browser.say(frame)
    assert browser.heard()[-1] in (4400, 4401)
    assert (await answer("alice", overrides=failures(1)))[-1] == 4429


async def test_reauthentication_over_the_limit_leaves_the_socket_open():
    browser = await connect("alice", overrides=failures(1))
    await answer("bad", overrides=failures(1))
    browser.heard()
    await browser.say(auth("alice2"))
    assert browser.heard() == TOO_OFTEN[:1]
    await browser.say("hello")
    assert browser.heard() == ["echo hello"]
    await browser.leave()


async def test_default_spares_internal_addresses_and_not_others():
    for _ in range(31):
        assert (await answer("bad", client=("127.0.0.1", 1)))[-1] == 4401
        last = await answer("bad")
    assert last[-1] == 4429


async def test_forged_header_moves_no_failure_to_another_address():
    for number in range(2):
        forged = [(b"x-forwarded-for", f"198.51.100.{number}".encode())]
        last = await answer("bad", headers=forged, overrides=failures(1))
    assert last[-1] == 4429


async def test_trusted_proxies_distinguish_clients():
    overrides = failures(1) | {"trusted_proxies": 1}

    def via(client):
        header = (b"x-forwarded-for", f"198.51.100.66, {client}".encode())
        return {"headers": [header], "client": ("127.0.0.1", 1), "overrides": overrides}

    await answer("bad", **via("203.0.113.1"))
    assert (await answer("alice", **via("203.0.113.1")))[-1] == 4429
    assert ok() in await answer("alice", **via("203.0.113.2"))


# -- Handshakes


async def test_handshakes_over_the_rate_are_refused(events):
    overrides = {"limits": {"HANDSHAKES": "2/min"}}
    for _ in range(2):
        assert ok() in await answer("alice", overrides=overrides)
    assert await answer("alice", overrides=overrides) == ["accept", *TOO_OFTEN]
    assert events[-1].detail.slug == "limit_handshakes"


async def test_foreign_page_is_refused_for_its_origin_and_uses_up_no_rate(site):
    foreign = {"headers": [(b"origin", b"https://evil.example")]}
    overrides = {"limits": {"HANDSHAKES": "1/min"}}
    extensions = {"websocket.http.response": {}}
    for _ in range(2):
        values = {"headers": [*foreign["headers"]], "extensions": extensions}
        browser = await connect(overrides=overrides, **values)
        assert browser.server.sent[0]["status"] == 403
    assert ok() in await answer("alice", overrides=overrides)
    browser = await connect(overrides=overrides, headers=[*foreign["headers"]], extensions={})
    assert browser.server.sent[0] == {
        "type": "websocket.close",
        "code": 4403,
        "reason": "forbidden",
    }


class Store:
    """A store of counters that does not answer, or fails, until it is mended."""

    def __init__(self, *, hangs):
        self.hangs, self.is_asked, self.is_mended = hangs, threading.Event(), threading.Event()

    def incr(self, key, expiry, *, amount):
        self.is_asked.set()
        if self.hangs:
            self.is_mended.wait(100)
        elif not self.is_mended.is_set():
            raise ConnectionError("stopped")
        return amount

    def get_expiry(self, key):
        return 0.0


@pytest.mark.parametrize("hangs", [True, False])
async def test_store_that_hangs_or_is_stopped_delays_no_handshake_and_no_frame(hangs, monkeypatch):
    counters = Store(hangs=hangs)
    monkeypatch.setattr(shared_counters, "build_store", lambda _: counters)
    limits = {"HANDSHAKES": "99/min", "MESSAGES": "99/min", "STORAGE": "memory://"}
    async with asyncio.timeout(60):  # a handshake or a frame that waited would take longer
        for _ in range(3):
            browser = await connect("alice", overrides=failures(9, **limits))
            await browser.say("hello")
            assert browser.heard()[-1] == "echo hello"
            await browser.leave()
    await until(counters.is_asked.is_set)
    await until(lambda: hangs or "limits" in {each.service for each in current_outages()})
    counters.is_mended.set()
    shared_counters.outages.reset()


async def test_frames_count_towards_a_shared_rate():
    limits = {"limits": {"MESSAGES": "2/min", "STORAGE": "memory://"}}
    browser = await connect("alice", overrides=limits)
    for _ in range(3):
        await browser.say("hello")
    assert browser.heard()[-1] == 4429


# -- Sockets that are not authenticated yet


async def test_silent_sockets_of_one_address_leave_room_for_others(events):
    silent = [await connect(overrides=waiting(address=2)) for _ in range(2)]
    assert [each.heard() for each in silent] == [["accept", REQUIRED]] * 2
    assert await answer(overrides=waiting(address=2)) == ["accept", *BUSY]
    assert events[-1].detail.slug == "limit_waiting_address"
    other = {"client": ("203.0.113.2", 1)}
    assert ok() in await answer("alice", overrides=waiting(address=2), **other)
    for each in silent:
        await each.leave()


async def test_verifications_of_one_address_wait_too():
    store.opened.clear()
    first = await connect("alice", overrides=waiting(address=1))
    assert (await answer("bob", overrides=waiting(address=1)))[-1] == 4429
    store.opened.set()
    await first.settle()
    assert ok() in first.heard()
    await first.leave()


async def leave(browser):
    await browser.leave()


async def be_silent(browser):
    await browser.time.pass_by(10)


async def send_a_good_token(browser):
    await browser.say(auth("alice"))


async def send_a_bad_token(browser):
    await browser.say(auth("bad"))


async def break_the_protocol(browser):
    await browser.say(b"binary")


async def be_cancelled(browser):
    browser.task.cancel()
    await asyncio.wait([browser.task])


async def lose_the_server(browser):
    browser.server.gone = True
    await browser.say(auth("bad"))


@pytest.mark.parametrize(
    "end",
    [leave, be_silent, send_a_good_token, send_a_bad_token, break_the_protocol, be_cancelled,
     lose_the_server],
)  # fmt: skip
async def test_place_is_free_again_however_the_waiting_ends(end, time):
    browser = await connect(overrides=waiting(address=1))
    browser.time = time
    await end(browser)
    assert len(here().waiting) == 0
    assert ok() in await answer("alice", overrides=waiting(address=1))
    await browser.leave() if not browser.task.done() else None


async def test_place_of_a_failing_verification_is_free_again():
    store.tokens["broken"] = (object(), None)  # a user without a primary key
    await answer("broken", overrides=waiting(address=1))
    store.tokens["refused"] = TokenAuthError(CloseReason.TOKEN_INVALID)
    await answer("refused", overrides=waiting(address=1))
    assert len(here().waiting) == 0


async def test_client_that_leaves_during_its_verification_frees_its_place():
    store.opened.clear()
    browser = await connect("alice", overrides=waiting(address=1))
    assert len(here().waiting) == 1
    browser.task.cancel()
    await asyncio.wait([browser.task])
    assert len(here().waiting) == 0


async def test_anonymous_clients_take_no_place():
    overrides = waiting(address=1) | {"anonymous": True, "locations": ["header"]}
    browsers = [await connect(overrides=overrides) for _ in range(3)]
    assert all("accept" in each.heard() for each in browsers)
    for each in browsers:
        await each.leave()


async def test_full_node_refuses_newcomers_and_serves_its_users(events):
    user = await connect("alice", overrides=waiting(node=1))
    silent = await connect(overrides=waiting(node=1))
    assert (await answer("bob", overrides=waiting(node=1)))[-1] == 4429
    assert events[-1].detail.slug == "limit_waiting_node"
    await user.say("hello")
    assert user.heard()[-1] == "echo hello"
    for each in (user, silent):
        await each.leave()


async def test_full_node_closes_a_silent_socket_for_a_user_of_another_address(events):
    silent = [await connect(overrides=waiting(node=2)) for _ in range(2)]
    [each.heard() for each in silent]
    other = {"client": ("203.0.113.2", 1)}
    assert ok() in await answer("alice", overrides=waiting(node=2), **other)
    assert [each.heard() for each in silent] == [BUSY, []]
    assert events[-1].detail.slug == "limit_waiting_node"
    await silent[1].leave()
    assert len(here().waiting) == 0


async def greet(_, receive, send):
    await receive()
    await send(ACCEPT)
    await send({"type": "websocket.close", "code": 1000})


async def test_token_that_was_verified_before_needs_no_place():
    middleware = TokenAuthMiddleware(greet, **waiting(address=1))

    async def codes_of(token):
        server = Server(CONNECT)
        headers = [(b"authorization", b"Token " + token)]
        served = middleware(
            scope(headers=headers, subprotocols=OFFER, client=CLIENT), server.receive, server.send
        )
        await asyncio.wait_for(served, 60)
        return [each["code"] for each in server.sent if "code" in each]

    assert await codes_of(b"alice") == [1000]
    store.opened.clear()
    first = asyncio.create_task(codes_of(b"bob"))
    await until(lambda: here().waiting)
    assert await codes_of(b"bad") == [4429]
    assert await codes_of(b"alice") == [1000]
    store.opened.set()
    assert await first == [1000]
