"""What a site may hear of, for its own audit: signals of Django's, with plain values.

Every one has the keyword arguments of its row, and no sender. `address`, `origin` and `path` are what
the client and the server said; `user_id` is the primary key as text; `code` is the slug of a close
code. A synchronous receiver may query, and so hold up what shares its thread, which is all of a
site's synchronous code; never an event loop, or a handshake. What it raises is logged, and changes
nothing.

| signal | keyword arguments |
|---|---|
| `connection_authenticated`, `connection_reauthenticated` | `connection_id`, `node`, `user_id`, `token_id`, `backend`, `location`, `address`, `origin`, `path` |
| `connection_refused` | the same and `code`; `user_id` and what is of a token may be None |
| `connection_closed` | the same and `code`, None where the close was not ours; `close_code`, the number |
| `token_revoked` | `user_id`, `token_id`, `except_token_id`, `issued_before` (seconds since the epoch), None where not named; `code` |
"""  # noqa: E501 - a table

from django.dispatch import Signal

__all__ = [
    "connection_authenticated",
    "connection_closed",
    "connection_reauthenticated",
    "connection_refused",
    "token_revoked",
]

connection_authenticated = Signal()
connection_refused = Signal()
connection_reauthenticated = Signal()
connection_closed = Signal()
token_revoked = Signal()
