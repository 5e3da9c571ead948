"""How long sockets took to close, measured from the commit of their revocation."""

import time

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.node.node import here
from channels_token_auth.observability.events import SocketsClosed, subscribe


class Socket:
    """A socket that any revocation of its user closes."""

    user_id, user_kind, token_id, backend, issuer, issued_at, verified_at = ("7", *[None] * 6)
    address, connection_id, labels = None, "c", {}
    is_closed = False

    def close(self, code):
        self.is_closed = True


async def test_seconds_are_counted_from_the_publication():
    seen = []
    end = subscribe(SocketsClosed, seen.append)
    node, socket = here(), Socket()
    node.registry.add(socket)
    revocation = Revocation(target=Target(user_id="7"), code=CloseReason.TOKEN_REVOKED)
    node.end([revocation], published_at=time.time() - 2)
    end()
    node.registry.discard(socket)
    assert socket.is_closed
    assert [each.count for each in seen] == [1]
    assert 2 <= seen[0].seconds < 60
