"""Revoke tokens and close their sockets, from any process, thread or event loop."""
