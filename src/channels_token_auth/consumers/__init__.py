"""Consumers as Channels has them, that cost only what they use. See docs/consumers.md."""

from .consumer import AsyncConsumer
from .websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer

__all__ = ["AsyncConsumer", "AsyncJsonWebsocketConsumer", "AsyncWebsocketConsumer"]
