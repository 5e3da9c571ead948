"""Consumers without a protocol: one instance per connection, one handler per type of message.

Channels gives every consumer a channel in the channel layer, and a task that reads it. Here a
consumer gets both only if a message of the layer could reach it: if its class has a method that the
type of such a message could name. This is decided once per class. This module knows nothing of
WebSockets.
"""

from collections.abc import Awaitable
from functools import cache, cached_property, lru_cache, partial, update_wrapper
from inspect import isclass
from typing import Any, ClassVar

from channels import DEFAULT_CHANNEL_LAYER
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer

from ..core.asgi_types import Application, Message, Receive, Scope, Send
from . import database
from .turns import take_turns

__all__ = ["AsyncConsumer"]


class AsyncConsumer:
    """Call the method of each message's type in turn: `chat_message` for `chat.message`."""

    channel_layer_alias: str = DEFAULT_CHANNEL_LAYER

    uses_channel: ClassVar[bool | None] = None
    """True: use a channel. None: only if the class has a method that a message could name."""

    scope: Scope
    channel_layer: Any
    base_send: Send

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Application:
        """Return an ASGI application, which creates a consumer for each connection."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await cls(**initkwargs)(scope, receive, send)

        # `updated=()`: else the attributes of the class would be copied into the function.
        update_wrapper(application, cls, updated=())
        # Channels sets both, so that code can find the class of an application.
        vars(application).update(consumer_class=cls, consumer_initkwargs=initkwargs)
        return application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection until a handler raises. `StopConsumer` ends it without an error."""
        self.scope = scope
        self.base_send = send
        self.channel_layer = get_channel_layer(self.channel_layer_alias)
        try:
            if self.channel_layer is not None and self._needs_channel():
                self.channel_name = await self.channel_layer.new_channel()
                read = partial(self.channel_layer.receive, self.channel_name)
                await take_turns(receive, read, self.dispatch)  # it does not return
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            pass
        finally:
            # Not by a subclass around this coroutine: it would be another one for each open socket.
            if ending := self._leave_at_end():
                await ending

    async def dispatch(self, message: Message) -> None:
        """Call the handler of a message. Raises ValueError if there is none."""
        if "type" not in message:
            raise ValueError("A message has no type.")
        handler = getattr(self, _handler_name(message["type"]), None)
        if handler is None:
            raise ValueError(f"{type(self).__name__} has no handler for {message['type']!r}.")
        if database.is_due():
            await database.close_old_connections()
        await handler(message)

    async def send(self, message: Message) -> None:
        """Send an ASGI message."""
        await self.base_send(message)

    # Not a property, which has no setter: `__call__` assigns the name to the instance.
    @cached_property
    def channel_name(self) -> str:
        """Return the name of its channel in the channel layer."""
        if self.channel_layer is None:
            raise AttributeError(f"There is no channel layer {self.channel_layer_alias!r}.")
        name = type(self).__name__
        raise AttributeError(f"{name} has no channel. To have one: {name}.uses_channel = True")

    def _leave_at_end(self) -> Awaitable[None] | None:
        """Return what is left to do after the last handler, if anything is."""
        return None

    def _needs_channel(self) -> bool:
        if self.uses_channel is not None:
            return self.uses_channel
        return _is_reachable(type(self))  # type: ignore[arg-type]  # to mypy it cannot be hashed


@lru_cache(maxsize=256)  # called for each message, and a site has few types
def _handler_name(kind: str) -> str:
    name = kind.replace(".", "_")
    # As in Channels: ".secret" and "_secret" would name a private method of the class.
    if name.startswith("_"):
        raise ValueError(f"No type of a message begins as this one does: {kind!r}.")
    return name


@cache
def _is_reachable(kind: type) -> bool:
    """Return True if the class may handle messages of the channel layer."""
    # Methods of the library's own classes, overridden or not, handle the client's messages.
    ours = {base for base in kind.__mro__ if base.__module__.startswith(f"{__package__}.")}
    # A class that overrides `dispatch` or has `__getattr__` may take any message.
    known = {name for base in ours for name in vars(base)} - {"dispatch"}
    added = {name for base in {*kind.__mro__} - ours for name in vars(base)} - known
    public = [getattr(kind, name) for name in added if not name.startswith("_")]
    return "__getattr__" in added or any(callable(it) and not isclass(it) for it in public)
