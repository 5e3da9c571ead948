"""Answers of lanes reach an event loop in portions, so that others have their turns in between."""

import asyncio

from channels_token_auth.verification.lanes.batch import IN_ONE_TURN, deliver, unanswered
from channels_token_auth.verification.lanes.errand import Errand, Onward
from channels_token_auth.verification.lanes.lane_id import LaneId

STEP = Onward(LaneId(name="rows", is_remote=False), list, None)


async def test_batches_that_end_together_are_answered_in_one_portion_a_turn():
    answered, portions = [], []
    for batch in range(3):
        deliver(_errands(answered, batch))
    while len(answered) < 6 * IN_ONE_TURN:
        before = len(answered)
        await asyncio.sleep(0)
        portions.append(len(answered) - before)
    assert max(portions) == IN_ONE_TURN
    assert answered == [(batch, n) for batch in range(3) for n in range(2 * IN_ONE_TURN)]
    assert unanswered() == 0


async def test_answers_that_wait_are_counted():
    answered = []
    deliver(_errands(answered, 0))
    await asyncio.sleep(0)
    assert unanswered() == IN_ONE_TURN
    await asyncio.sleep(0)
    assert unanswered() == 0


def _errands(answered, batch):
    loop = asyncio.get_running_loop()
    return [
        (Errand(loop=loop, reply=answered.append, is_wanted=lambda: True, step=STEP), (batch, n))
        for n in range(2 * IN_ONE_TURN)
    ]
