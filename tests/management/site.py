"""An ASGI application for `token_connect`: each path is a consumer that does one thing."""

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from channels_token_auth.middleware import TokenAuthMiddlewareStack


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data)


class Who(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        scope, auth = self.scope, self.scope["auth"]
        origin = dict(scope["headers"])[b"origin"].decode()
        facts = [scope["user"].get_username(), auth.backend, *sorted(auth.scopes), origin]
        await self.send(" ".join([*facts, scope["path"], scope["query_string"].decode()]))


class Chat(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept("chat")
        await self.send(bytes_data=bytes(range(40)))


class Closing(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.close(4321)


class Failing(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        raise ValueError(f"Nothing to do with {text_data}")


class Interrupting(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        raise KeyboardInterrupt


routes = [
    path("echo/", Echo.as_asgi()),
    path("who/", Who.as_asgi()),
    path("chat/", Chat.as_asgi()),
    path("closing/", Closing.as_asgi()),
    path("failing/", Failing.as_asgi()),
    path("interrupting/", Interrupting.as_asgi()),
]
application = ProtocolTypeRouter({"websocket": TokenAuthMiddlewareStack(URLRouter(routes))})
