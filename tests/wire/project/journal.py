"""Record what the process saw, and what it holds: events, queries, tasks, descriptors."""

import asyncio
import gc
from collections import defaultdict
from pathlib import Path
from typing import Any

from channels.layers import get_channel_layer
from django.db.backends.signals import connection_created

from channels_token_auth.connection.connection import Connection

__all__ = ["Recorder", "seen", "state"]

_events: dict[str, list[dict[str, Any]]] = defaultdict(list)
_queries: list[str] = []


class Recorder:
    """Wraps an application, and records what reaches it and how it ends."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        events = _events[scope["url_route"]["kwargs"]["socket"]]

        async def recording_receive() -> Any:
            event = await receive()
            events.append({k: v for k, v in event.items() if k in ("type", "code", "reason")})
            return event

        events.append({"type": "started"})
        try:
            await self.application(scope, recording_receive, send)
        except BaseException as error:
            events.append({"type": "raised", "error": repr(error)})
            raise
        events.append({"type": "returned"})


def seen(socket_name: str) -> dict[str, Any]:
    """Return the events of one socket, and the number of queries of all: cheap to ask for."""
    return {"events": _events.get(socket_name, []), "queries": len(_queries)}


def state() -> dict[str, Any]:
    """Return what the process holds, fit for JSON. It looks at every object: ask seldom."""
    return {
        "tasks": sorted(_name(task) for task in asyncio.all_tasks()),
        "timers": sum(not each.cancelled() for each in asyncio.get_running_loop()._scheduled),
        "connections": sum(isinstance(each, Connection) for each in gc.get_objects()),
        "layer": _channels_held(),
        "descriptors": _descriptors(),
    }


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _channels_held() -> int:
    """Return the number of channels that the layer keeps something of."""
    layer = get_channel_layer()
    of_loop = getattr(layer, "_get_layer", lambda: layer)()
    return sum(len(getattr(of_loop, name, ())) for name in ("channels", "groups", "receive_buffer"))


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", repr(task))


def _count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    _queries.append(sql)
    return execute(sql, params, many, context)


def _watch(connection: Any, **_: object) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


connection_created.connect(_watch)
