"""Sockets: through the door, while they live, and how they are closed."""
