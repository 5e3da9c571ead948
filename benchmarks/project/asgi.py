"""The application that servers run: WebSockets go to the contestant, HTTP to `ANSWERS`."""

import gc
import json
import os
import sys
from importlib import import_module
from urllib.parse import unquote

import django

django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402 - needs the line above

from benchmarks.project import ending, profiling, queries, sweeping  # noqa: E402 - needs the line above
from benchmarks.project.state import state  # noqa: E402

ANSWERS = {
    "/state": state,
    "/profile": profiling.profile,
    "/end": ending.here,
    "/sweep": sweeping.sweep,
}

endpoints = get_asgi_application()
queries.watch(delay=float(os.environ.get("BENCH_QUERY_DELAY", "0")))
contestant = import_module(f"benchmarks.project.{os.environ['BENCH_APPLICATION']}").application


async def application(scope, receive, send):
    """Call the contestant without a router in front of it, which would take time."""
    if scope["type"] == "websocket":
        await contestant(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith("/auth/"):
        await endpoints(scope, receive, send)
    elif scope["type"] == "http":
        facts = await ANSWERS[scope["path"]](unquote(scope["query_string"].decode()))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(facts).encode()})


if os.environ.get("BENCH_GC") != "default":
    # As docs/how-to/deployment recommends, for all contestants alike.
    gc.collect()
    gc.freeze()
    if sys.version_info < (3, 14):
        gc.set_threshold(2_000, 0, 125)
