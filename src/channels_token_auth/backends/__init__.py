"""Verify tokens: one backend for each kind of token. No backend imports another."""
