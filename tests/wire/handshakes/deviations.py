"""Cases in which a server does not let the library answer, measured with these versions."""

from dataclasses import dataclass
from importlib.metadata import version

from tests.wire.answers import RESET, Direct, Opened, Refused
from tests.wire.handshakes.case import alice

__all__ = ["DEVIATIONS", "Deviation", "deviation"]


@dataclass(frozen=True, slots=True)
class Deviation:
    answer: Direct | Opened | Refused
    why: str


_NO_ORIGIN = Deviation(Direct(status=400), "400 by itself: its library takes that for no Origin")
_OVER_127 = Deviation(
    Direct(status=500), "500 by itself, from websockets 17 on: it fails on any header byte over 127"
)
_NO_ASCII = Deviation(Direct(status=RESET), "hangs up: it fails on any offered byte over 127")

DEVIATIONS: dict[str, dict[str, Deviation]] = {
    "daphne": {
        "subprotocol: two equal entries": Deviation(
            Direct(status=400), "400 by itself: its library refuses a repeated offer"
        ),
        "subprotocol: bytes over 127": Deviation(Direct(status=500), "500 by itself"),
        "origin: default 'https://www.example.com:port'": _NO_ORIGIN,
        "origin: default 'www.example.com'": _NO_ORIGIN,
        "origin: default '*'": _NO_ORIGIN,
        "origin: default ''": _NO_ORIGIN,
    },
    "uvicorn-sansio": {
        "origin: two of them": Deviation(
            Direct(status=400), "400 by itself: its library refuses a repeated Origin"
        ),
        "subprotocol: bytes over 127": Deviation(
            Direct(status=400), "400 by itself; before websockets 17, it hangs up"
        ),
    },
    "uvicorn-websockets": {
        "header: non-UTF-8": _OVER_127,
        "header: Latin-1": _OVER_127,
        "header: UTF-8": _OVER_127,
        "subprotocol: bytes over 127": _OVER_127,
        r"origin: default 'https://www.ex\\xe1mple.com'": _OVER_127,
    },
    "uvicorn-wsproto": {"subprotocol: bytes over 127": _NO_ASCII},
    "hypercorn": {
        "subprotocol: bytes over 127": _NO_ASCII,
        "subprotocol: in two header lines": Deviation(
            alice("subprotocol"), "opened, and nothing echoed: it knows only the last line"
        ),
    },
}

# websockets reads a header as Latin-1 from 17 on, and as ASCII with surrogates before. Neither lets
# anybody in: uvicorn cannot encode the former, and websockets cannot print the latter.
_BEFORE_17: dict[tuple[str, str], Deviation | None] = {
    ("uvicorn-sansio", "subprotocol: bytes over 127"): _NO_ASCII,
    **{("uvicorn-websockets", name): None for name in DEVIATIONS["uvicorn-websockets"]},
}
_IS_BEFORE_17 = int(version("websockets").partition(".")[0]) < 17


def deviation(kind: str, name: str) -> Deviation | None:
    """Return what a server answers by itself; None: it lets the library answer."""
    known = DEVIATIONS.get(kind, {}).get(name)
    return _BEFORE_17.get((kind, name), known) if _IS_BEFORE_17 else known
