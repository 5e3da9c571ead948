"""Tokens of another authorization server, which is asked over HTTP."""

import time
from contextlib import contextmanager
from itertools import count

from channels_token_auth.core.close_codes import CloseReason
from tests.backends.introspection_server import introspection_server
from tests.matrix.kind import Kind, State

HOUR = 3600
numbers = count()


class Introspection(Kind):
    name, title = "introspection", "introspection (RFC 7662)"
    path = "channels_token_auth.backends.introspection.IntrospectionBackend"
    answers = {State.REVOKED: CloseReason.TOKEN_INVALID}  # noqa: RUF012 - see Kind
    has_scopes = True
    keeps_rows = False

    @contextmanager
    def running(self):
        with introspection_server() as self.server:
            self.options = {
                "url": self.server.url,
                "bearer_token": "ours",
                "audience": "ours",
                "user_claim": "username",
                "user_field": None,
            }
            yield

    def valid(self, user, **claims):
        token = f"remote-{next(numbers)}"
        now = int(time.time())
        self.server.claims[token] = {
            "active": True,
            "username": user.get_username(),
            "scope": "read write",
            "aud": "ours",
            "iat": now,
            "exp": now + HOUR,
        } | claims
        return token

    def unknown(self, user):
        return f"remote-{next(numbers)}"

    def expired(self, user):
        return self.valid(user, exp=int(time.time()) - HOUR)

    def key_bound(self, user):
        return self.valid(user, cnf={"jkt": "thumbprint"})

    def refresh_token(self, user):
        return self.valid(user, token_type="refresh_token")

    def wrong_audience(self, user):
        return self.valid(user, aud="theirs")

    def revoke(self, token, user):
        del self.server.claims[token]
