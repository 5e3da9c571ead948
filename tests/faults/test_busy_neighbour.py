"""A consumer that holds the thread which Channels shares among all holds up no verification."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.wire.answers import observe
from tests.wire.client import Socket
from tests.wire.handshakes.case import INVALID, bearer
from tests.wire.project.people import ALICE, BOB, UNKNOWN
from tests.wire.servers import Server


# The stranger gets a bare ASGI application: a stock consumer needs the shared thread by itself.
def test_stranger_is_in_before_the_busy_handler_is_done(server: Server) -> None:
    with held(server, "busy-neighbour"):
        stranger = server.open("/default/bare/stranger", [bearer(BOB)])
        assert isinstance(stranger, Socket)
        with stranger:
            stranger.send("hello")
            assert stranger.read().text == "hello"


def test_stranger_is_refused_before_the_busy_handler_is_done(server: Server) -> None:
    with held(server, "busy-refused"):
        answer = observe(server, b"/default/bare/refused", [bearer(UNKNOWN)])
    assert answer == INVALID.at(server.kind, browser=False)


@contextmanager
def held(server: Server, name: str) -> Iterator[None]:
    """A sync consumer is in its handler for all of a `with` block."""
    neighbour = server.open(f"/default/held/{name}", [bearer(ALICE)])
    assert isinstance(neighbour, Socket)
    with neighbour:
        neighbour.send("go")
        assert neighbour.read().text == "held"
        try:
            yield
        finally:
            server.release(name)
        assert neighbour.read().text == "released"
