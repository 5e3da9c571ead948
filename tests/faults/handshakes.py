"""Handshakes with a token, by a browser and by any other client, and what they may be answered."""

from tests.wire.answers import ACCEPTED, PROTOCOL, Answer, Opened, observe
from tests.wire.handshakes.case import bearer
from tests.wire.project.people import ALICE
from tests.wire.servers import Server

__all__ = ["CLIENTS", "shake_hands", "unavailable", "welcome"]

# Where each has its token, and the protocol that is chosen for it.
HOW = {"browser": ("subprotocol", PROTOCOL), "client": ("header", None)}
CLIENTS = tuple(HOW)


def shake_hands(
    server: Server,
    client: str = "client",
    *,
    token: str = ALICE,
    policy: str = "default",
    timeout: float = 60.0,
) -> Answer:
    """Open a socket, and return the answer. Raises TimeoutError after `timeout` seconds."""
    headers = [bearer(token)]
    if client == "browser":
        offer = f"{PROTOCOL}, bearer.{token}".encode()
        headers = [b"Origin: http://127.0.0.1", b"Sec-WebSocket-Protocol: " + offer]
    return observe(server, f"/{policy}/whoami/{client}".encode(), headers, timeout=timeout)


def welcome(client: str = "client", user: str = "alice") -> Answer:
    """The user is in."""
    location, protocol = HOW[client]
    opened = Opened(frame=f"{user} by {location}", subprotocol=protocol)
    return opened.at("", browser=client == "browser")


def unavailable(server: Server, client: str = "client") -> Answer:
    """Nobody can tell just now. daphne knows neither reasons nor HTTP answers but 403."""
    is_daphne = server.kind == "daphne"
    if client == "browser":
        slug = None if is_daphne else "unavailable"
        told = "auth.error unavailable"
        return Answer(status=ACCEPTED, subprotocol=PROTOCOL, close=4503, slug=slug, told=told)
    return Answer(status=403) if is_daphne else Answer(status=503, slug="unavailable")
