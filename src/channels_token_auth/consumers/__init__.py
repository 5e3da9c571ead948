"""Faster consumers with the API of Channels' own. See docs/how-to/consumers.md."""

from .consumer import AsyncConsumer
from .websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer

__all__ = ["AsyncConsumer", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"]
