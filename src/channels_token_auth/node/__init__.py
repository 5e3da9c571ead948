"""All sockets of one event loop: registry, sweep, deadlines, bulk close, drain."""
