"""Answer GET /profile: where the event loop's thread spends its time, and what it does.

`?count` counts tasks, futures, timers and callbacks from then on; `?start` profiles the functions;
`?allocations` records the lines that allocate memory. Any other question returns the results since
then. All three slow the server down, so measure its speed in another one.
"""

import asyncio
import contextvars
import cProfile
import gc
import pstats
import sys
import threading
import time
import tracemalloc
from collections import Counter
from pathlib import Path

__all__ = ["profile", "thread_seconds"]

MOST = 40
COUNTED = {
    "create_task": "tasks",
    "create_future": "futures",
    "call_at": "timers",
    "call_soon": "callbacks",
    "call_soon_threadsafe": "wakes from threads",
    "run_in_executor": "hops to threads",
}
_counts: Counter[str] = Counter()
# It counts this thread's CPU time: on the clock, a function that waits for the CPU looks slow.
_profile = cProfile.Profile(time.thread_time)


async def profile(question):
    """Answer one request."""
    if question == "count":
        _count()
    elif question == "start":
        _profile.enable()
    elif question == "allocations":
        tracemalloc.start()
    else:
        _profile.disable()
        allocations = _allocations() if tracemalloc.is_tracing() else {}
        return {
            "counts": dict(_counts),
            "functions": _functions(),
            "calls": _calls(),
            "seconds": _seconds(),
            "allocations": allocations,
        }
    return {}


def thread_seconds():
    """Return the CPU time of each of Python's threads by its name, without its number."""
    seconds = Counter()
    for thread in threading.enumerate():
        clock = time.pthread_getcpuclockid(thread.ident)
        seconds[thread.name.rstrip("0123456789_- ")] += time.clock_gettime(clock)
    return dict(seconds)


def _count():
    loop = asyncio.get_running_loop()
    for name, counted in COUNTED.items():
        setattr(loop, name, _counting(getattr(loop, name), counted))
    # The futures that the library returns from `receive` are made by their class, not by the loop.
    if ours := sys.modules.get("channels_token_auth.connection.reception"):
        ours.Wait.__init__ = _counting(ours.Wait.__init__, "futures")
    # In `asyncio.to_thread` and in asgiref: the copies that asyncio makes for each task and
    # callback are counted with those.
    contextvars.copy_context = _counting(contextvars.copy_context, "explicit context copies")


def _counting(call, counted):
    def counting(*arguments, **options):
        _counts[counted] += 1
        return call(*arguments, **options)

    return counting


def _functions():
    if not _profile.getstats():
        return {}
    return dict(sorted(_seconds().items(), key=lambda each: -each[1])[:MOST])


def _calls():
    """Return how often each function was called, those in C included."""
    if not _profile.getstats():
        return {}
    return {_name(*function): each[1] for function, each in pstats.Stats(_profile).stats.items()}


def _seconds():
    """Return how long each function itself took, without those that it called."""
    if not _profile.getstats():
        return {}
    return {_name(*function): each[2] for function, each in pstats.Stats(_profile).stats.items()}


def _allocations():
    """Return the bytes that each line has allocated and that are still in use."""
    gc.collect()
    found = tracemalloc.take_snapshot().statistics("lineno")
    frames = [(each.traceback[0], each.size) for each in found]
    return {_name(frame.filename, frame.lineno, "").strip(): size for frame, size in frames}


def _name(path, line, function):
    if path == "~":
        return function.strip("<>")
    file = Path(path)
    roots = (Path(each) for each in sys.path if each)
    inside = [file.relative_to(root) for root in roots if file.is_relative_to(root)]
    return f"{min(inside, key=lambda each: len(each.parts), default=file)}:{line} {function}"
