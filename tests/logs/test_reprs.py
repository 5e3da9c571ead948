"""asyncio logs results of tasks and futures without any part of a frame."""

import asyncio
import json
import logging
import re

import pytest

from channels_token_auth.core.redaction import MARK, cut_values
from channels_token_auth.observability.redaction_filter import RedactionFilter

TOKEN = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
TEXT = json.dumps({"type": "auth", "token": TOKEN})
FRAMES = {
    "event": {"type": "websocket.receive", "text": TEXT},
    "text": TEXT,
    "bytes": TEXT.encode(),
    "short": "abcdef",
    "bare": TOKEN,
    "list": [TEXT],
    "spaces": '{"token": "a b created at x"}' + TOKEN,
    "brackets": f"<Task result='x'> took 1 seconds> {TOKEN}",
}
ENDS = re.compile("e4b|def'")


async def _returns(value):
    return value


async def _reprs(value):
    """Reprs of a task and a future with this result, of those that wait for it, and of handles."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(_returns(value))
    await task
    future = loop.create_future()
    future.set_result(value)
    handles = [loop.call_later(9, print, each) for each in (task, future)]
    waiting = asyncio.create_task(_awaits(future := loop.create_future()))
    await asyncio.sleep(0)
    future.set_result(value)
    shown = [repr(each) for each in (task, future, waiting, *handles)]
    for each in handles:
        each.cancel()
    await waiting
    return shown


async def _awaits(future):
    await future


def logged(template, *args):
    """The message of one record, after the filter."""
    record = logging.LogRecord("asyncio", logging.WARNING, __file__, 1, template, args, None)
    assert RedactionFilter().filter(record)
    return record.getMessage()


def test_end_of_a_shortened_argument_is_not_logged():
    async def shown():
        handle = asyncio.get_running_loop().call_later(9, print, TEXT)
        try:
            return repr(handle)
        finally:
            handle.cancel()

    assert ENDS.search(logged("Executing %s took %.3f seconds", asyncio.run(shown()), 0.2)) is None


@pytest.mark.parametrize("is_debug", [True, False])
@pytest.mark.parametrize("value", FRAMES.values(), ids=FRAMES)
def test_no_repr_shows_a_part_of_a_result(value, is_debug):
    for each in asyncio.run(_reprs(value), debug=is_debug):
        for text in (
            logged("Executing %s took %.3f seconds", each, 0.2),
            logged(f"Exception in callback\nhandle: {each}\nfuture: {each}"),
        ):
            assert ENDS.search(text) is None


def test_slow_task_of_the_debug_mode_is_logged_without_its_frame(caplog):
    async def slow():
        asyncio.get_running_loop().slow_callback_duration = 0
        return {"type": "websocket.receive", "text": TEXT}

    logger = logging.getLogger("asyncio")
    own = RedactionFilter()
    logger.addFilter(own)
    try:
        asyncio.run(_run(slow()), debug=True)
    finally:
        logger.removeFilter(own)
    finished = [each for each in caplog.messages if f" result={MARK}" in each]
    assert finished
    assert TOKEN[-3:] not in caplog.text


async def _run(coroutine):
    await asyncio.create_task(coroutine)


@pytest.mark.parametrize(
    "text",
    [
        "Executing <Task finished name='T' coro=<f() done> result=None> took 0.2 seconds",
        "Using selector: EpollSelector",
        f"<Task finished result={MARK} created at /a/b.py:3> took 0.2 seconds",
    ],
)
def test_text_without_a_value_stays(text):
    assert cut_values(text) == text


@pytest.mark.parametrize("value", FRAMES.values(), ids=FRAMES)
def test_cutting_twice_changes_nothing_more(value):
    for each in asyncio.run(_reprs(value)):
        once = cut_values(each)
        assert cut_values(once) == once
