"""Answer GET /state: the resources of the process.

`?collect` collects garbage first; `?objects` does so and counts the objects of the library. It does
not use Django, so that the request changes none of the numbers.
"""

import asyncio
import gc
import os
import time
from collections import Counter
from pathlib import Path

from benchmarks.project.profiling import thread_seconds
from benchmarks.project.queries import counts

__all__ = ["state"]


async def state(question):
    """Answer one request."""
    if question:
        gc.collect()
    return _facts() | ({"objects": _objects()} if question == "objects" else {})


def _objects():
    """Count the library's objects by the name of their class."""
    classes = (type(each) for each in gc.get_objects())
    names = (f"{each.__module__}.{each.__qualname__}" for each in classes)
    return Counter(name for name in names if name.startswith("channels_token_auth."))


def _facts():
    loop = asyncio.get_running_loop()
    # A private list: asyncio has no public one of its timers.
    timers = [each for each in getattr(loop, "_scheduled", ()) if not each.cancelled()]
    return {
        "pid": os.getpid(),
        "cpu": time.process_time(),
        "threads": thread_seconds(),
        "rss": _resident_bytes(),
        "tasks": len(asyncio.all_tasks()),
        "timers": len(timers),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        **counts,
    }


def _resident_bytes():
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise LookupError("Rss")
