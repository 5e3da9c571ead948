"""Verify credentials: by the backends in order, in batches, in threads, within a deadline."""
