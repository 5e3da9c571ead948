"""What a server is told to run: the contestant for WebSockets, `state` for HTTP."""

import os
from importlib import import_module

import django

django.setup()

from benchmarks.project import queries  # noqa: E402 - needs the line above
from benchmarks.project.state import state  # noqa: E402

queries.watch(delay=float(os.environ.get("BENCH_QUERY_DELAY", "0")))
contestant = import_module(f"benchmarks.project.{os.environ['BENCH_APPLICATION']}").application


async def application(scope, receive, send):
    """No router of anybody's stands before the contestants."""
    if scope["type"] == "websocket":
        await contestant(scope, receive, send)
    elif scope["type"] == "http":
        await state(scope, receive, send)
