"""Measure what servers do by themselves, in one word each."""

from collections.abc import Callable

from tests.wire.answers import observe
from tests.wire.client import Refusal, Socket
from tests.wire.closing import eventually, has_ended
from tests.wire.handshakes.case import bearer
from tests.wire.project.people import ALICE
from tests.wire.servers import Server

__all__ = ["BEHAVIOURS", "SIZES", "answer_to_a_long_token"]

SIZES = {"4 KB": 4096, "5 KB": 5120, "9 KB": 9216, "20 KB": 20480, "1 MB": 1 << 20}
PATIENCE = 3.0  # seconds, after which a server that did not answer hangs

LONG_TOKENS: dict[str, Callable[[bytes], tuple[bytes, list[bytes]]]] = {
    "header": lambda token: (b"/default/whoami/long", [b"Authorization: Bearer " + token]),
    "query": lambda token: (b"/query/whoami/long?token=" + token, []),
    "subprotocol": lambda token: (
        b"/default/whoami/long",
        [b"Sec-WebSocket-Protocol: bearer." + token],
    ),
}

ATTEMPTS = 3
PRIVATE_USE = range(4000, 5000)  # close codes of applications (RFC 6455 §7.4.2)


def answer_to_a_long_token(server: Server, location: str, size: str) -> str:
    """Return who refuses a long token, the library or the server, and how."""
    # A server that answers and hangs up while much is still on its way may reset its own answer.
    for _ in range(ATTEMPTS):
        if (answer := _answer_to_a_long_token(server, location, size)) != "reset":
            break
    return answer


def _answer_to_a_long_token(server: Server, location: str, size: str) -> str:
    target, headers = LONG_TOKENS[location](b"f" * SIZES[size])
    try:
        answer = observe(server, target, headers, timeout=PATIENCE)
    except TimeoutError:
        return "hangs"
    # daphne sends no reason: it denies with 403, and closes with the library's code alone.
    is_denied = server.kind == "daphne" and answer.status == 403
    if answer.slug or is_denied or answer.close in PRIVATE_USE:
        return "library"
    return f"{answer.status}" if answer.status else "reset"


def _denial(server: Server) -> str:
    answer = observe(server, b"/deny/whoami/denial", [])
    return f"{answer.status}, {'the reason in it' if answer.slug else 'nothing in it'}"


def _close_reason(server: Server) -> str:
    return "yes" if observe(server, b"/close/whoami/reason", []).slug else "no"


def _printed_query(server: Server) -> str:
    socket = server.open("/unguarded/scope/printed?marker=shown", [])
    assert isinstance(socket, Socket)
    socket.finish()
    server.probe()
    return "yes" if "marker=shown" in server.output else "no"


def _code_of_a_clean_close(server: Server) -> str:
    socket = server.open("/default/bare/clean", [bearer(ALICE)])
    assert isinstance(socket, Socket)
    socket.finish(4321)
    events = eventually(lambda: server.events("clean"), has_ended)
    return str(events[-2]["code"])


def _repeated_header(server: Server) -> str:
    scope = _scope(server, [b"X-One: a", b"X-One: b"])
    return "joined by a comma" if "b'a,b'" in scope else "kept apart"


def _repeated_offer(server: Server) -> str:
    scope = _scope(server, [b"Sec-WebSocket-Protocol: a", b"Sec-WebSocket-Protocol: b"])
    return "all" if "['a', 'b']" in scope else "the last"


def _port(server: Server) -> str:
    scope = _scope(server, [])
    return "a string" if f"'{server.port}')" in scope else "a number"


def _scope(server: Server, headers: list[bytes], query: bytes = b"") -> str:
    """The scope as the application sees it, or how the server refuses to make one."""
    try:
        answer = server.open(b"/unguarded/scope/scope" + query, headers)
    except ConnectionError:
        return "reset"
    if isinstance(answer, Refusal):
        return str(answer.status)
    with answer:
        return answer.read().text


def _fate(server: Server, headers: list[bytes], query: bytes = b"") -> str:
    scope = _scope(server, headers, query)
    return "reaches the application" if scope.startswith("{") else scope


BEHAVIOURS: dict[str, Callable[[Server], str]] = {
    "Denied before accept, a client gets": _denial,
    "The reason of a close reaches the client": _close_reason,
    "A clean close by the client with 4321 reaches the application as": _code_of_a_clean_close,
    "By default it prints the query string of a WebSocket": _printed_query,
    "A header line twice": _repeated_header,
    "Of subprotocols offered in two lines it knows": _repeated_offer,
    "A header with bytes over 127": lambda server: _fate(server, [b"X-One: \xff"]),
    "A subprotocol with bytes over 127": lambda server: _fate(
        server, [b"Sec-WebSocket-Protocol: a, b\xff"]
    ),
    "A header with NUL": lambda server: _fate(server, [b"X-One: a\x00"]),
    "A query with raw bytes over 127": lambda server: _fate(server, [], b"?\xff"),
    "The client's port in the scope is": _port,
}
