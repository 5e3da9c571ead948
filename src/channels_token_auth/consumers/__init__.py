"""Consumers as Channels has them, that cost only what they use. See docs/how-to/consumers.md."""

from .consumer import AsyncConsumer
from .websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer

__all__ = ["AsyncConsumer", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"]
