"""The limit: an ASGI application with nothing around it."""

import json

__all__ = ["application"]


async def application(scope, receive, send):
    """Accept the socket, and send each text frame back."""
    while True:
        match await receive():
            case {"type": "websocket.connect"}:
                await send({"type": "websocket.accept"})
            case {"type": "websocket.receive", "text": text}:
                await send({"type": "websocket.send", "text": json.dumps(json.loads(text))})
            case {"type": "websocket.disconnect"}:
                return
