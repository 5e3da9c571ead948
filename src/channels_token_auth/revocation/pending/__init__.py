"""Revocations that wait for the commit of their transaction."""
