"""Admit the users of tokens, read the keys that name users, and copy users for each socket."""

from .admission import (
    admit,
    concrete,
    key_of,
    local_user_key,
    named_user,
    plain_key,
    primary_key,
    row_key,
)

__all__ = [
    "admit",
    "concrete",
    "key_of",
    "local_user_key",
    "named_user",
    "plain_key",
    "primary_key",
    "row_key",
]
