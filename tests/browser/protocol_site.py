"""A site for spec/client.html: fake tokens, and a path for each case."""

import asyncio
import threading
import time
from contextlib import contextmanager

import uvicorn
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from channels_token_auth.testing import fake_tokens
from tests.connection.sockets import open_sockets
from tests.docs.pages import ROOT
from tests.services import free_port

__all__ = ["Site", "running_site"]

CLIENT = ROOT / "spec" / "client.html"
DEADLINE = 60.0

urlpatterns = [
    path("", lambda request: HttpResponse(CLIENT.read_bytes())),
    path("auth/", include("channels_token_auth.urls")),
]


class Echo(AsyncWebsocketConsumer):
    async def connect(self):
        if self.scope["path"] == "/denies/":
            await self.close()
        else:
            await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data, bytes_data)


class Leaks(AsyncWebsocketConsumer):
    """A wrong server: it selects the entry with the token, or sends before `auth.ok`."""

    async def connect(self):
        entries = self.scope["subprotocols"]
        talks = self.scope["path"] == "/talks/"
        await self.accept(entries[0] if talks else entries[-1])
        await self.send("too early")


echo = Echo.as_asgi()
SOCKETS = {
    "": TokenAuthMiddlewareStack(echo),
    "denies/": TokenAuthMiddlewareStack(echo),
    "hasty/": TokenAuthMiddlewareStack(echo, auth_timeout=0.3, verify_timeout=0.3),
    "roomy/": TokenAuthMiddlewareStack(echo, max_token_bytes=8192),
    "aging/": TokenAuthMiddlewareStack(echo, max_connection_age=0.5),
    "anonymous/": TokenAuthMiddlewareStack(echo, anonymous=True, locations=["subprotocol"]),
    "plain/": TokenAuthMiddlewareStack(echo, locations=["subprotocol"]),
    "unseen/": TokenAuthMiddlewareStack(echo, allowed_origins=["https://elsewhere.example"]),
    "leaks/": Leaks.as_asgi(),
    "talks/": Leaks.as_asgi(),
}
application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path(name, served) for name, served in SOCKETS.items()]),
    }
)


class Site:
    """A running uvicorn, in a thread of the test's process so that the test holds its tokens."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self):
        config = uvicorn.Config(
            application, host="127.0.0.1", port=self.port, log_config=None, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._wait_until(lambda: self._server.started)

    def stop(self):
        self._server.should_exit = True
        self._thread.join(DEADLINE)

    def close(self, code):
        """End the one socket that is open, as a revocation does."""
        self._wait_until(lambda: len(open_sockets()) == 1)
        (connection,) = open_sockets()
        self._loop.call_soon_threadsafe(connection.close, CloseReason(code))

    def let_pass(self, clock, seconds):
        """Move a frozen clock: sockets that are due are warned or closed."""
        asyncio.run_coroutine_threadsafe(clock.move(seconds), self._loop).result(DEADLINE)

    def _run(self):
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve())

    @staticmethod
    def _wait_until(condition):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)


@contextmanager
def running_site(urlconf=__name__):
    urls = override_settings(ROOT_URLCONF=urlconf, ALLOWED_HOSTS=["127.0.0.1"])
    with urls, fake_tokens() as tokens:
        site = Site(tokens)
        site.start()
        try:
            yield site
        finally:
            site.stop()
