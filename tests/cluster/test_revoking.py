"""Tokens are revoked from wherever a site may do it, and their sockets close on every node."""

from contextlib import suppress

import pytest

from tests.cluster.fleet import BOUND, Fleet, eventually
from tests.cluster.people import key
from tests.wire.servers import run

SETUP = "import asyncio, django; django.setup(); import channels_token_auth as site\n"
SYNCHRONOUS = "site.disconnect(user={user}, code='unavailable'); site.revoke_token('{token}')"
ASYNCHRONOUS = """
async def end():
    await site.adisconnect(user={user}, code='unavailable')
    await site.arevoke_token('{token}')
asyncio.run(end())
"""
# What each of them does in a process of its own.
ELSEWHERE = {
    "management shell": (["-m", "django", "shell", "-c"], SYNCHRONOUS),
    "asynchronous script": (["-c"], ASYNCHRONOUS),
}


@pytest.mark.parametrize(("command", "code"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_another_process_ends_closes_on_every_node(
    fleet: Fleet, command: list[str], code: str
) -> None:
    sent_away, revoked = fleet.open_everywhere(), fleet.open_everywhere()
    user, token = sent_away["daphne"].person, key(revoked["daphne"].person)
    database = fleet.postgresql.settings
    written = SETUP + code.format(user=user, token=token)

    def is_gone() -> bool:
        """Return False where a node paused for so long that it missed the message."""
        run([*command, written], database=database, environment=fleet.environment)
        with suppress(TimeoutError):
            return {tab.closes(BOUND / 4) for tab in sent_away.values()} == {4503}
        return False

    assert eventually(is_gone)
    assert {tab.closes(BOUND) for tab in revoked.values()} == {4410}


@pytest.mark.parametrize("page", ["revoke", "revoke-in-a-thread"])
def test_what_a_wsgi_process_ends_closes_on_every_node(fleet: Fleet, page: str) -> None:
    revoked = fleet.open_everywhere()
    fleet.site.get(f"/{page}/{key(revoked['daphne'].person)}")
    assert {tab.closes(BOUND) for tab in revoked.values()} == {4410}


def test_sockets_that_nginx_has_spread_over_the_nodes_close_all(fleet: Fleet) -> None:
    person = fleet.somebody()
    tabs = [fleet.open(person) for _ in range(9)]
    assert all(tab.answers() for tab in tabs)
    fleet.revoke(person)
    assert {tab.closes(BOUND) for tab in tabs} == {4410}
