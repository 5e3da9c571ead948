"""Admit the users of tokens, read the keys that name users, and copy users for each socket."""

from .admission import admit, concrete, local_user_key, named_user, primary_key, row_key

__all__ = ["admit", "concrete", "local_user_key", "named_user", "primary_key", "row_key"]
