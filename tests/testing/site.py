"""A site under test: one consumer behind the middleware."""

from typing import Any

from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth.models import User

from channels_token_auth.middleware import TokenAuthMiddlewareStack

__all__ = ["ADA", "BOB", "application"]

ADA = User(pk=1, username="ada")
BOB = User(pk=2, username="bob")


class Consumer(AsyncJsonWebsocketConsumer):
    """Says who is there, and where the token stood; then echoes. Obeys {"close": code}."""

    async def connect(self) -> None:
        if self.scope["path"] == "/denied/":
            await self.close()
            return
        await self.accept()
        auth = self.scope["auth"]
        await self.send_json([self.scope["user"].username, auth and str(auth.location)])

    async def receive_json(self, content: Any, **_: object) -> None:
        if "close" in content:
            await self.close(content["close"])
        else:
            await self.send_json(content)


application = TokenAuthMiddlewareStack(Consumer.as_asgi())
