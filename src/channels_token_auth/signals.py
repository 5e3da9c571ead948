"""Django signals of this library, for a site's own audit. All values are plain.

Each signal has the keyword arguments of its row, and no sender. `address`, `origin`, `path`,
`request_id` and `traceparent` are what the client and the server sent (the last two are headers of
the handshake, or None); `user_id` is the primary key as text, and
`user_kind` the kind of user that has it; `code` is the slug of a
close code; `detail` is the slug of a more exact reason, such as "origin_not_listed" or
"wrong_audience", or None: it holds no secret, and a client never receives it.

A synchronous receiver may query. It then delays what shares its thread, which is all synchronous
code of the site, but never an event loop or a handshake. Exceptions of receivers are logged and
change nothing.

| signal | keyword arguments |
|---|---|
| `connection_authenticated`, `connection_reauthenticated` | `connection_id`, `node`, `user_id`, `user_kind`, `token_id`, `backend`, `location`, `address`, `origin`, `path`, `request_id`, `traceparent` |
| `connection_refused`, `reauthentication_refused` | the same, `code` and `detail`; before a token is accepted, `user_id` and `token_id` are None, `location` is that of the credential, and `backend` the only one that recognizes it, or None |
| `connection_closed` | the same as `connection_authenticated`, and `code`, None where the library did not close it; `close_code`, the number |
| `request_refused` | `method`, `path`, `address`, `code`, `detail`, `request_id`, `traceparent` of a request to the HTTP endpoints |
| `identity_injected` | `operator`, the login name of a person with a shell; `user_id` and `path` that they connect with, without a token |
| `token_revoked` | `user_id`, `user_kind`, `token_id`, `backend`, `issuer`, `except_token_id`, `issued_before` (seconds since the epoch), None where not named; `labels`, a mapping; `code` |
"""  # noqa: E501 - a table

from django.dispatch import Signal

__all__ = [
    "connection_authenticated",
    "connection_closed",
    "connection_reauthenticated",
    "connection_refused",
    "identity_injected",
    "reauthentication_refused",
    "request_refused",
    "token_revoked",
]

connection_authenticated = Signal()
connection_refused = Signal()
connection_reauthenticated = Signal()
reauthentication_refused = Signal()
connection_closed = Signal()
identity_injected = Signal()
request_refused = Signal()
token_revoked = Signal()
