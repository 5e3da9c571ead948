"""Token authentication for WebSockets in Django Channels."""
