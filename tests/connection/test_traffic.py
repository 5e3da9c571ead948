"""A user who sends too much: over all sockets, in every kind of frame and of application."""

import asyncio
import contextlib

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer as StockConsumer
from channels.generic.websocket import WebsocketConsumer as StockSyncConsumer

from channels_token_auth.consumers import AsyncWebsocketConsumer
from channels_token_auth.core.counting.traffic import TrafficTable
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import LimitReached, subscribe
from tests.connection.backend import store
from tests.connection.server import ACCEPT
from tests.connection.test_life import Browser, auth, error, ok, open_socket, site, time

__all__ = ["site", "time"]  # fixtures

LIMITS = {"limits": {"MESSAGES": "3/min"}}
PING = {"type": "auth.ping"}


def over(seconds):
    return [error("rate_limited", retry=True, retry_after=seconds), 4429]


@pytest.fixture(autouse=True)
async def _fresh_counts(monkeypatch):
    monkeypatch.setattr(here(), "traffic", TrafficTable())


async def test_message_over_the_rate_closes_with_the_time_to_wait():
    browser = await open_socket(overrides=LIMITS)
    for _ in range(4):
        await browser.say("hello")
    assert browser.heard() == ["accept", ok(), *["echo hello"] * 3, *over(60)]
    assert browser.events[-1] == {
        "type": "websocket.disconnect",
        "code": 4429,
        "reason": "rate_limited",
    }


async def test_rate_is_one_for_all_sockets_of_a_user_and_each_user_has_their_own(time):
    first, second = [await open_socket(overrides=LIMITS) for _ in range(2)]
    bob = await open_socket("bob", overrides=LIMITS)
    for browser in (first, second, first, second):
        await browser.say("hello")
    assert second.heard()[-1] == 4429
    for browser in (first, bob):
        await browser.say("hello") if browser is bob else None
        assert browser.heard()[-1] == "echo hello"
        await browser.leave()


async def test_reconnecting_does_not_renew_the_rate_and_time_does(time):
    for _ in range(3):
        browser = await open_socket(overrides=LIMITS)
        await browser.say("hello")
        await browser.leave()
    browser = await open_socket(overrides=LIMITS)
    await browser.say("hello")
    assert browser.heard()[-1] == 4429
    await time.pass_by(60)
    browser = await open_socket(overrides=LIMITS)
    await browser.say("hello")
    assert browser.heard()[-1] == "echo hello"
    await browser.leave()


async def test_pings_and_fresh_tokens_do_not_count():
    browser = await open_socket(overrides=LIMITS | {"limits": {"MESSAGES": "1/d", "BYTES": "5/d"}})
    for _ in range(5):
        await browser.say(PING)
        await browser.say(auth("alice2"))
    await browser.say("hello")
    assert browser.heard()[-1] == "echo hello"
    await browser.leave()


async def test_message_during_a_verification_counts():
    browser = await open_socket(overrides=LIMITS)
    store.opened.clear()
    await browser.say(auth("alice2"))
    for _ in range(4):
        await browser.say("hello")
    store.opened.set()
    assert browser.heard()[-2:] == over(60)


@pytest.mark.parametrize("frames", [["12345", "123456"], [b"12345", b"123456"], ["ääääää"]])
async def test_bytes_count_in_both_kinds_of_frame(frames):
    browser = await open_socket(overrides={"limits": {"BYTES": "10/min"}})
    for frame in frames:
        assert not browser.task.done()
        await browser.say(frame)
    assert browser.heard()[-1] == 4429


async def test_anonymous_sockets_count_by_address():
    overrides = LIMITS | {"anonymous": True, "locations": ["header"]}
    there, here_, same = [
        Browser(client=[address, 1], overrides=overrides)
        for address in ("2001:db8::1", "2001:db8:1::2", "2001:db8:1::3")
    ]
    for browser in (here_, same, here_, same, there):
        await browser.say("hello")
    assert same.heard()[-1] == 4429
    for browser in (there, here_):
        assert browser.heard()[-1] == "echo hello"
        await browser.leave()


@pytest.mark.parametrize(
    ("limits", "limit"), [({"MESSAGES": "1/min"}, "messages"), ({"BYTES": "9/min"}, "bytes")]
)
async def test_limit_that_was_reached_is_reported(limits, limit):
    reached = []
    unsubscribe = subscribe(LimitReached, reached.append)
    browser = await open_socket(overrides={"limits": limits})
    for _ in range(2):
        await browser.say("hello")
    unsubscribe()
    assert reached == [LimitReached(limit=limit)]


class Ours(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(f"echo {text_data}")


class Stock(StockConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(f"echo {text_data}")


class StockSync(StockSyncConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(f"echo {text_data}")


async def subscribed(scope, receive, send):
    scope["auth"].subscribe()
    event = await receive()
    await send(ACCEPT)
    while event["type"] != "websocket.disconnect":
        event = await receive()
        if "text" in event:
            await send({"type": "websocket.send", "text": f"echo {event['text']}"})


async def impatient(scope, receive, send):
    """Cancel each wait after a moment, and still receive every event."""
    event = await receive()
    await send(ACCEPT)
    while event["type"] != "websocket.disconnect":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                event = await receive()
                if "text" in event:
                    await send({"type": "websocket.send", "text": f"echo {event['text']}"})


@pytest.mark.django_db(transaction=True)  # stock consumers close old connections
@pytest.mark.parametrize(
    "application", [Ours.as_asgi(), Stock.as_asgi(), StockSync.as_asgi(), subscribed, impatient]
)
async def test_it_holds_for_every_kind_of_application(application):
    browser = await open_socket(overrides=LIMITS, application=application)
    for _ in range(4):
        await browser.say("hello")
        await asyncio.sleep(0.05)
    await browser.task
    assert browser.heard() == ["accept", ok(), *["echo hello"] * 3, *over(60)]
