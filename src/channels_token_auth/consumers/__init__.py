"""Consumers with the API of Channels' own, which need fewer tasks and less memory for a socket.

Change the import, and nothing else, in a consumer that inherits one of these from Channels.
"""

from .consumer import AsyncConsumer
from .websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer

__all__ = ["AsyncConsumer", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"]
