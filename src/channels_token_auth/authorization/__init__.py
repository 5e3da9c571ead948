"""Decide what an authenticated socket may do."""
