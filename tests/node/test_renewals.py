"""Many sockets get a deadline, a slice of them in each turn of the event loop."""

import asyncio
import logging

import pytest

from channels_token_auth.node.bulk_close import SLICE
from channels_token_auth.node.renewals import renew_all
from tests.node.members import FakeMember

DEADLINE = 2_000_000_000.0


class Broken(FakeMember):
    def renew_by(self, deadline):
        raise RuntimeError("broken")


def renew(members, only_if=lambda member: True):
    renew_all(list(members), DEADLINE, only_if=only_if)


def renewed(members):
    return [each for each in members if each.deadline == DEADLINE]


async def test_a_slice_is_renewed_at_once():
    members = [FakeMember() for _ in range(SLICE)]
    renew(members)
    assert renewed(members) == members


async def test_more_are_renewed_in_later_turns():
    members = [FakeMember() for _ in range(2 * SLICE + 1)]
    renew(members)
    counts = set()
    async with asyncio.timeout(60):
        while len(renewed(members)) < len(members):
            counts.add(len(renewed(members)))
            await asyncio.sleep(0)
    assert counts >= {0, SLICE, 2 * SLICE}


@pytest.mark.parametrize("number", [2, SLICE + 1])
async def test_socket_is_asked_about_just_before(number):
    members = [FakeMember() for _ in range(number)]
    kept = members[0]
    renew(members, only_if=lambda member: member is not kept)
    async with asyncio.timeout(60):
        while len(renewed(members)) < number - 1:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)
    assert kept.deadline is None


async def test_socket_that_fails_is_logged_and_harms_no_other(caplog):
    members = [FakeMember(), Broken(), FakeMember()]
    with caplog.at_level(logging.ERROR):
        renew(members)
    assert renewed(members) == [members[0], members[2]]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
