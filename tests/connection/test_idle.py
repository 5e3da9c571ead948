"""A client that sends nothing: what counts as a frame, and in which application."""

import asyncio
import contextlib

import pytest

from channels_token_auth.node.deadlines import deadlines
from tests.connection.server import ACCEPT, text
from tests.connection.test_life import Browser, auth, error, ok, open_socket, site, time
from tests.memory import kept_by

pytestmark = pytest.mark.usefixtures("each_kind_of_server")

__all__ = ["site", "time"]  # fixtures

IDLE = {"limits": {"IDLE": 30}}
CLOSED = [error("connection_limit", retry=True, retry_after=1), 4429]


@pytest.mark.asvs("7.3.1")
async def test_silent_client_is_closed_in_time(time):
    browser = await open_socket(overrides=IDLE)
    browser.heard()
    await time.pass_by(29)
    assert browser.heard() == []
    await time.pass_by(1)
    assert browser.heard() == CLOSED
    await browser.task
    assert browser.events[-1]["code"] == 4429


@pytest.mark.parametrize("frame", ["hello", b"hello", {"type": "auth.ping"}, auth("alice2")])
async def test_every_frame_keeps_a_socket_open(time, frame):
    browser = await open_socket(overrides=IDLE)
    for _ in range(5):
        await time.pass_by(25)
        await browser.say(frame)
    assert not browser.task.done()
    await time.pass_by(30)
    assert browser.heard()[-2:] == CLOSED


async def test_frames_of_the_application_do_not(time):
    async def ticker(scope, receive, send):
        await receive()
        await send(ACCEPT)
        for _ in range(3):
            await asyncio.sleep(0.05)
            await send({"type": "websocket.send", "text": "tick"})
        await receive()

    browser = await open_socket(overrides=IDLE, application=ticker)
    await asyncio.sleep(0.2)
    await time.pass_by(30)
    assert browser.heard()[-1] == 4429
    await browser.task


async def test_first_message_begins_the_silence(time):
    browser = Browser(overrides=IDLE)
    await browser.settle()
    await time.pass_by(5)
    await browser.say(auth("alice"))
    await time.pass_by(29)
    assert browser.heard()[-1] == ok()
    await time.pass_by(1)
    assert browser.heard() == CLOSED
    await browser.task


async def test_anonymous_client_is_closed_too(time):
    browser = Browser(overrides=IDLE | {"anonymous": True, "locations": ["header"]})
    await browser.settle()
    await time.pass_by(30)
    assert browser.heard()[-1] == 4429
    await browser.task


async def test_client_of_a_busy_application_is_not_silent_while_its_frames_wait(time):
    release = asyncio.Event()

    async def busy(scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        await release.wait()
        while (event := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": f"echo {event['text']}"})

    browser = await open_socket(overrides=IDLE, application=busy)
    await browser.say("first")
    browser.server.inbox.put_nowait(text("second"))
    for _ in range(4):
        await time.pass_by(30)
    assert not browser.task.done()
    release.set()
    await browser.settle()
    assert browser.heard()[-1] == "echo second"
    await time.pass_by(29)
    assert browser.heard() == []
    await time.pass_by(1)
    assert browser.heard()[-1] == 4429
    await browser.task


@pytest.mark.parametrize("waits", ["never", "again and again"])
async def test_silence_is_noticed_whatever_the_application_does(time, waits):
    async def application(scope, receive, send):
        await receive()
        await send(ACCEPT)
        if waits == "never":
            await asyncio.sleep(3)
        event = None
        while event is None or event["type"] != "websocket.disconnect":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.005):
                    event = await receive()

    browser = await open_socket(overrides=IDLE, application=application)
    browser.heard()
    for _ in range(3):  # at most twice the time, and a tick to begin with
        await time.pass_by(30)
    assert browser.heard() == CLOSED
    browser.task.cancel()
    await asyncio.wait([browser.task])


async def test_application_that_has_not_accepted_is_not_disturbed(time):
    release = asyncio.Event()

    async def slow(scope, receive, send):
        await receive()
        await release.wait()
        await send(ACCEPT)
        await receive()

    browser = Browser(
        headers=[(b"authorization", b"Token alice")], overrides=IDLE, application=slow
    )
    await asyncio.sleep(0.1)
    for _ in range(3):
        await time.pass_by(30)
        assert browser.heard() == []
    release.set()
    await browser.settle()
    await browser.leave()


async def test_sockets_share_one_timer_and_need_no_task(time):
    before = _tasks()
    browsers = [await open_socket(overrides=IDLE) for _ in range(5)]
    assert _tasks() == before + 5  # of the servers
    assert kept_by(deadlines(), asyncio.TimerHandle)
    await time.pass_by(30)
    for browser in browsers:
        await browser.task
    assert not kept_by(deadlines(), asyncio.TimerHandle)


def _tasks():
    """Return how many tasks run, without those by which the server in memory receives."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    return sum(name != "Server._receive" for name in names)
