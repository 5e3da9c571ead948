"""Events of sockets wait for the end of their turn of the event loop, and none of them is lost."""

import asyncio
import contextvars
import dataclasses
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from channels_token_auth.observability.events import Event, emit, emit_soon, subscribe

SOURCES = Path(__file__).parents[2] / "src"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step(Event):
    """A kind that nobody but these tests subscribes to."""

    number: int = 0


@pytest.fixture
def seen():
    numbers = []
    end = subscribe(Step, lambda event: numbers.append(event.number))
    yield numbers
    end()


async def test_events_wait_for_the_end_of_the_turn(seen):
    emit_soon(Step(number=1))
    emit_soon(Step(number=2))
    assert seen == []
    await asyncio.sleep(0)
    assert seen == [1, 2]


async def test_the_next_turn_has_its_own_end(seen):
    for number in range(3):
        emit_soon(Step(number=number))
        await asyncio.sleep(0)
    assert seen == [0, 1, 2]


def test_without_an_event_loop_they_do_not_wait(seen):
    emit_soon(Step(number=1))
    assert seen == [1]


async def test_an_event_that_does_not_wait_comes_after_those_before_it(seen):
    emit_soon(Step(number=1))
    emit(Step(number=2))
    emit_soon(Step(number=3))
    assert seen == [1, 2]
    await asyncio.sleep(0)
    assert seen == [1, 2, 3]


async def test_an_event_of_a_subscriber_comes_after_those_before_it(seen):
    end = subscribe(Step, lambda event: event.number == 1 and emit_soon(Step(number=3)))
    emit_soon(Step(number=1))
    emit_soon(Step(number=2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    end()
    assert seen == [1, 2, 3]


async def test_a_subscriber_that_fails_stops_no_event(seen):
    def fail(_):
        raise RuntimeError("broken")

    end = subscribe(Step, fail)
    emit_soon(Step(number=1))
    emit_soon(Step(number=2))
    await asyncio.sleep(0)
    end()
    assert seen == [1, 2]


async def test_each_event_has_the_context_in_which_it_was_emitted():
    request, found = contextvars.ContextVar("request", default=None), []
    end = subscribe(Step, lambda _: found.append(request.get()))

    async def handle(name):
        request.set(name)
        emit_soon(Step())

    await asyncio.gather(handle("one"), handle("two"))
    await asyncio.sleep(0)
    end()
    assert found == ["one", "two"]


async def test_an_event_has_the_time_at_which_it_happened():
    first, second = Step(), Step()
    assert first.at <= second.at
    assert first == second  # the time makes no difference between two events


PROGRAM = """
import asyncio, atexit, dataclasses, logging, os, sys
from channels_token_auth.observability.events import Event, emit_soon, subscribe

@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step(Event):
    pass

logger = logging.getLogger("kept")
logger.addHandler(logging.FileHandler(sys.argv[1]))
subscribe(Step, lambda _: logger.error("written"))
"""

ENDS = {
    "the loop ends": """
        async def main():
            emit_soon(Step())
        asyncio.run(main())
        os._exit(0)
        """,
    "tasks are cancelled": """
        async def serve():
            try:
                await asyncio.sleep(1000)
            finally:
                emit_soon(Step())
        async def main():
            task = asyncio.create_task(serve())
            await asyncio.sleep(0)
        asyncio.run(main())
        os._exit(0)
        """,
    "the loop is stopped in this turn": """
        loop = asyncio.new_event_loop()
        loop.call_soon(lambda: (loop.stop(), emit_soon(Step())))
        loop.run_forever()
        loop.close()
        """,
    "the process exits in this turn": """
        async def main():
            emit_soon(Step())
            raise SystemExit
        asyncio.run(main())
        """,
    "a child is forked in this turn": """
        async def main():
            emit_soon(Step())
            if not os.fork():
                atexit._run_exitfuncs()  # of a forked child, Python 3.14 cannot leave the loop
                os._exit(0)
            os.wait()
        asyncio.run(main())
        """,
}


@pytest.mark.parametrize("end", ENDS)
def test_each_event_is_written_once_however_the_turn_ends(end, tmp_path):
    file = tmp_path / "log"
    program = PROGRAM + textwrap.dedent(ENDS[end])
    environ = os.environ | {"PYTHONPATH": str(SOURCES)}
    subprocess.run([sys.executable, "-c", program, file], env=environ, check=True, timeout=60)
    assert file.read_text() == "written\n"
