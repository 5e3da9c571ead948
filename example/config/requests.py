"""Log each request by its path, without its query string, headers and frames."""

import logging
import time
from urllib.parse import quote

__all__ = ["RequestLog"]

logger = logging.getLogger(__name__)


class RequestLog:
    """Write one line for an HTTP request, and two for a WebSocket."""

    def __init__(self, application):
        self._application = application

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        started = time.monotonic()
        line = _RequestLine(scope)

        async def noting_receive():
            message = await receive()
            line.note(message)
            return message

        async def noting_send(message):
            line.note(message)
            await send(message)

        try:
            await self._application(scope, noting_receive, noting_send)
        finally:
            logger.info("%s %s (%.2f s)", line.name, line.outcome, time.monotonic() - started)


class _RequestLine:
    """Read the outcome of one request from its ASGI messages."""

    def __init__(self, scope):
        # Quoted: a path may hold line breaks that forge log lines.
        self.name = f"{scope.get('method', 'WebSocket')} {quote(scope['path'])}"
        self.outcome = "failed"
        self._accepted = False
        self._closed = False

    def note(self, message):
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self.outcome = message["status"]
                self._closed = True
            case "websocket.accept":
                self._accepted = True
                logger.info("%s open", self.name)
            case "websocket.close" if not self._accepted and not self._closed:
                self.outcome = 403
                self._closed = True  # the server's disconnect, which may follow, is an echo
            case "websocket.close" | "websocket.disconnect" if not self._closed:
                # The first close decides the code; the other side's is an echo.
                self._closed = True
                self.outcome = f"closed {message.get('code', 1000)}"
