"""A user or a token has as many sockets on one node as the limit allows, with both policies."""

import asyncio

import pytest

from channels_token_auth.observability.events import LimitReached, subscribe
from tests.connection.test_life import Browser, auth, error, ok, open_socket, site, time

__all__ = ["site", "time"]  # fixtures


def limits(policy="refuse", **counts):
    return {"limits": {"CONNECTIONS": {"policy": policy, **counts}}}


def over(seconds=10):
    return [error("connection_limit", retry=True, retry_after=seconds), 4429]


async def leave_all(*browsers):
    for browser in browsers:
        await browser.leave()


async def test_newest_is_refused_with_the_time_to_wait():
    first, second = [await open_socket(overrides=limits(user=1)) for _ in range(2)]
    assert second.heard() == ["accept", *over()]
    await second.task
    assert first.heard() == ["accept", ok()]
    await leave_all(first)


async def test_client_that_reads_http_gets_429():
    first = await open_socket(overrides=limits(user=1))
    second = Browser(
        headers=[(b"authorization", b"Token alice")],
        extensions={"websocket.http.response": {}},
        overrides=limits(user=1),
    )
    await second.task
    start = second.server.sent[0]
    assert start["status"] == 429
    assert (b"retry-after", b"10") in start["headers"]
    await leave_all(first)


async def test_first_message_over_the_limit_is_refused():
    first = await open_socket(overrides=limits(user=1))
    second = Browser(overrides=limits(user=1))
    await second.settle()
    await second.say(auth("alice"))
    assert second.heard()[-2:] == over()
    await second.task
    assert second.scope is None
    await leave_all(first)


async def test_oldest_makes_way_and_waits_longer():
    browsers = [await open_socket(overrides=limits("close_oldest", user=2)) for _ in range(4)]
    await browsers[1].settle()
    for browser in browsers[:2]:
        assert browser.heard() == ["accept", ok(), *over(60)]
        await browser.task
        assert browser.events[-1]["code"] == 4429
    for browser in browsers[2:]:
        assert browser.heard() == ["accept", ok()]
    await leave_all(*browsers[2:])


async def test_each_user_and_each_token_has_its_own_limit():
    mine, other_token, other_user = [
        await open_socket(token, overrides=limits(token=1)) for token in ("alice", "alice2", "bob")
    ]
    again = await open_socket("alice", overrides=limits(token=1))
    assert again.heard()[-1] == 4429
    await leave_all(mine, other_token, other_user)


@pytest.mark.parametrize("policy", ["refuse", "close_oldest"])
async def test_none_is_admitted_where_the_limit_is_0(policy):
    browser = await open_socket(overrides=limits(policy, user=0))
    await browser.task
    assert browser.heard()[-1] == 4429
    assert browser.scope is None


async def test_socket_that_was_closed_counts_no_more_although_its_application_has_not_ended():
    async def slow(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await released.wait()

    released = asyncio.Event()
    first = await open_socket(overrides=limits(user=1), application=slow)
    await first.do({"type": "websocket.disconnect", "code": 1001})
    second = await open_socket(overrides=limits(user=1))
    assert second.heard() == ["accept", ok()]
    released.set()
    await first.task
    await leave_all(second)


async def test_application_that_closes_frees_the_room():
    async def closing(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 4000})

    for _ in range(3):
        browser = await open_socket(overrides=limits(user=1), application=closing)
        await browser.task
        assert browser.heard()[-1] == 4000


async def test_denied_by_the_application_frees_the_room():
    async def denying(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    for _ in range(3):
        browser = await open_socket(overrides=limits(user=1), application=denying)
        await browser.task
        assert browser.heard()[-1] == 4403


async def test_fresh_token_counts_once_for_the_user_and_moves_to_the_new_token():
    overrides = limits(user=2, token=1)
    browser = await open_socket("alice", overrides=overrides)
    await browser.say(auth("alice2"))
    old = await open_socket("alice", overrides=overrides)
    assert old.heard()[-1] == ok()
    await leave_all(old)
    new = await open_socket("alice2", overrides=overrides)
    assert new.heard()[-1] == 4429
    await leave_all(browser)


async def test_fresh_token_whose_room_is_taken_closes_the_socket():
    overrides = limits(token=1)
    first, second = [await open_socket(each, overrides=overrides) for each in ("alice", "alice2")]
    await first.say(auth("alice2"))
    assert first.heard()[-2:] == over()
    assert not second.task.done()
    await leave_all(second)


async def test_fresh_token_of_another_user_is_refused_for_that_and_not_for_their_limit():
    alice, bob = [await open_socket(each, overrides=limits(user=1)) for each in ("alice", "bob")]
    await alice.say(auth("bob"))
    assert alice.heard()[-1] == 4409
    await leave_all(bob)


async def test_anonymous_sockets_have_no_user_to_count():
    overrides = limits(user=1) | {"anonymous": True, "locations": ["header"]}
    browsers = [Browser(overrides=overrides) for _ in range(3)]
    for browser in browsers:
        await browser.settle()
        assert browser.heard() == ["accept"]
    await leave_all(*browsers)


@pytest.mark.parametrize(("policy", "left"), [("refuse", 0), ("close_oldest", 1)])
async def test_limit_that_was_reached_is_reported(policy, left):
    reached = []
    unsubscribe = subscribe(LimitReached, reached.append)
    browsers = [await open_socket(overrides=limits(policy, user=1)) for _ in range(2)]
    await browsers[0].settle()
    unsubscribe()
    assert reached == [LimitReached(limit="connections")]
    await leave_all(browsers[left])
