import time

import pytest

from channels_token_auth.clock import clock
from channels_token_auth.testing import TokenWebsocketCommunicator, fake_tokens, frozen_clock
from tests.testing.site import ADA, application

HOUR = 3600


@pytest.fixture
def tokens():
    with fake_tokens() as tokens:
        yield tokens


@pytest.fixture
def frozen():
    with frozen_clock() as frozen:
        yield frozen


async def connect(tokens, **options):
    token = tokens.issue(ADA, lifetime=HOUR)
    client = TokenWebsocketCommunicator(application, "/", token=token, **options)
    assert (await client.connect())[0]
    return client


async def test_a_socket_is_warned_and_closed_without_a_wait(frozen, tokens):
    client = await connect(tokens, location="subprotocol")
    assert client.auth_ok["expires_in"] == HOUR
    await frozen.move(HOUR - 30)
    assert await client.receive_auth_from() == {"type": "auth.expiring", "expires_in": 30}
    await frozen.move(29)
    assert client.close_code is None
    await frozen.move(1)
    assert client.close_code == 4419
    await client.wait()


async def test_a_machine_that_slept_closes_what_expired_meanwhile(frozen, tokens):
    client = await connect(tokens)
    await frozen.move(HOUR, calendar_only=True)
    assert client.close_code == 4419
    await client.wait()


async def test_a_clock_that_was_set_back_keeps_no_socket_alive(frozen, tokens):
    client = await connect(tokens)
    await frozen.move(-HOUR, calendar_only=True)
    await frozen.move(HOUR)
    assert client.close_code == 4419
    await client.wait()


async def test_a_token_expires_for_new_sockets_too(frozen, tokens):
    token = tokens.issue(ADA, lifetime=HOUR)
    await frozen.move(HOUR)
    client = TokenWebsocketCommunicator(application, "/", token=token)
    assert await client.connect() == (False, 4419)


async def test_a_reauthenticated_socket_lives_to_its_new_end(frozen, tokens):
    client = await connect(tokens, location="subprotocol")
    await frozen.move(HOUR - 1)
    answer = await client.reauthenticate(tokens.issue(ADA, lifetime=HOUR))
    assert answer["expires_in"] == HOUR
    await frozen.move(HOUR - 1)
    assert client.close_code is None
    await client.disconnect()


def test_the_clock_stands_still_and_then_goes_on():
    with frozen_clock():
        assert clock.steady() == clock.steady() == int(clock.steady())
        assert clock.calendar() == clock.calendar() == int(clock.calendar())
    before = time.time()
    assert before <= clock.calendar() <= time.time()
