"""Sockets as a node knows them, without a server: what closes them is noted."""

from datetime import UTC, datetime

from django.contrib.auth.models import User

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.identity import Identity
from channels_token_auth.core.live_authentication import LiveAuthentication
from channels_token_auth.node.member import Member


class FakeMember(Member):
    """A socket of this user and token; anonymous without a token. `code`: its close, or None."""

    next_tick = None
    client_address = None

    def __init__(
        self,
        user_id=1,
        token_id="t",
        *,
        backend="fake",
        issuer=None,
        issued_at=None,
        route=None,
        handle=None,
    ):
        scope = {"type": "websocket", "path": "/", "headers": [], "client": None}
        super().__init__("node", route, scope)
        self.code = None
        self.followed = []
        self.ticks = 0
        self.deadline = None
        if token_id is not None:
            self.user = self._user = User(pk=user_id)
            self._handle = handle
            self.authenticate(token_id, backend=backend, issuer=issuer, issued_at=issued_at)

    def authenticate(self, token_id, *, backend="fake", issuer=None, issued_at=None):
        """Give it another token."""
        self._auth = LiveAuthentication(authentication(token_id, backend, issued_at, issuer))

    def leave(self):
        """Have no token any more, as a socket that has left."""
        self._auth = None

    def close(self, code):
        self.code = code

    def end(self, error):
        self.code = error.code

    def renew_by(self, deadline):
        self.deadline = deadline

    @property
    def must_renew(self):
        return self.deadline is not None

    def tick(self):
        self.ticks += 1

    def jump(self, seconds):
        pass

    def follow(self, identity):
        self.followed.append(identity)
        super().follow(identity)


def authentication(token_id, backend="fake", issued_at=None, issuer=None):
    return Authentication(
        backend=backend,
        token_id=token_id,
        location=Location.HEADER,
        issuer=issuer,
        issued_at=issued_at and datetime.fromtimestamp(issued_at, UTC),
    )


def identity(user_id=1, token_id="t", **values):
    return Identity(user=User(pk=user_id), authentication=authentication(token_id, **values))
