"""A site's other process, which has no sockets: what it does to those of the nodes, by URL."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import HttpRequest, JsonResponse
from django.urls import path

from channels_token_auth import connections, disconnect, revoke_token
from channels_token_auth.cluster.overview import aoverview
from channels_token_auth.cluster.pubsub import publish
from channels_token_auth.core.close_codes import CloseReason

__all__ = ["urlpatterns"]


def probe() -> dict[str, Any]:
    return {"layer": len(vars(get_channel_layer()).get("receive_buffer", ()))}


def revoke(token: str) -> None:
    revoke_token(token)


def revoke_in_a_thread(token: str) -> None:
    thread = threading.Thread(target=revoke_token, args=[token])
    thread.start()
    thread.join()


def send_away(user: str) -> None:
    """Disconnect a user with a code that no sweep uses: only a message closes with it."""
    disconnect(user=user, code=CloseReason.UNAVAILABLE)


def connected() -> dict[str, Any]:
    found = connections(limit=0)
    return {"total": found.total, "nodes": found.nodes, "missing": found.missing}


def overview() -> dict[str, Any]:
    """Return the content of the admin's panels."""
    return asdict(async_to_sync(aoverview)())


def connected_at_once(count: int) -> list[Any]:
    """Return the results of several threads that count the sockets at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: connected(), range(count)))


def noise(count: int) -> None:
    """Messages of a kind that this version does not know."""
    publish(*({"kind": "noise", "number": number} for number in range(count)))


def _view(command: Callable[..., Any]) -> Callable[..., JsonResponse]:
    def view(request: HttpRequest, **arguments: Any) -> JsonResponse:
        return JsonResponse(command(**arguments), safe=False, json_dumps_params={"default": list})

    return view


urlpatterns = [
    path("pid", _view(os.getpid)),
    path("probe", _view(probe)),
    path("revoke/<token>", _view(revoke)),
    path("revoke-in-a-thread/<token>", _view(revoke_in_a_thread)),
    path("send-away/<user>", _view(send_away)),
    path("connections", _view(connected)),
    path("overview", _view(overview)),
    path("auth/connected", _view(connected)),  # on nodes, only this is Django's
    path("connections-at-once/<int:count>", _view(connected_at_once)),
    path("noise/<int:count>", _view(noise)),
]
