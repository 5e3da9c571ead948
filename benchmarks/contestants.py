"""The contestants: an application of the project, its settings, and how a client sends a token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import people

__all__ = ["BEARER", "CONTESTANTS", "Contestant"]

HANDSHAKE = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{header}\r\n"
)
"""An opening handshake of a program, without an Origin. The key is the example of RFC 6455."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contestant:
    """One line of a table."""

    name: str
    application: str  # a module of `project`
    target: str = "/"
    header: str = ""
    good: Callable[[int], str] = people.key
    bad: Callable[[int], str] = people.bad_key
    people: int = people.PEOPLE  # how many of them connect, in turn
    environ: Mapping[str, str] = field(default_factory=dict)
    checkout: Path | None = None  # whose code is served; None: that of this checkout

    def before(self, checkout: Path) -> "Contestant":
        """Return the same contestant with the code of another checkout."""
        return replace(self, name=f"{self.name} before", checkout=checkout)

    def handshakes(self, *, bad_of_ten: int = 0, people: int | None = None) -> bytes:
        """Return the handshakes that the generator sends in turn, each marked as good or bad."""
        numbers = range(people or self.people)
        return b"".join(self._handshake(n, is_good=n % 10 >= bad_of_ten) for n in numbers)

    def _handshake(self, number: int, *, is_good: bool) -> bytes:
        token = (self.good if is_good else self.bad)(number)
        target, header = self.target.format(token), self.header.format(token)
        mark = "+" if is_good else "-"
        return f"{mark}{HANDSHAKE.format(target=target, header=header)}\0".encode()


BEARER = "Authorization: Bearer {}\r\n"
COLD = {"BENCH_VERIFIED_CACHE_SECONDS": "0"}
FEW = 16
CORRELATION = (
    "X-Request-ID: 7f0c5c2e-3b4d-4c57-9a55-0d2a1f6f3c11\r\n"
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
)
"""The headers of a proxy and a tracer. The library always reads them if they are present."""

FEATURES = {
    "ours-all-off": "off",
    "ours-metrics": "metrics",
    "ours-audit": "audit",
    "ours-limits": "limits",
    "ours-addresses": "addresses",
    "ours-waiting": "waiting",
    "ours-connections": "connections",
    "ours-frames": "frames",
    "ours-idle": "idle",
    "ours-all-on": "on",
}
"""Contestants with some of the features of `project/everything.py`."""

PROVIDER = COLD | {"BENCH_PROVIDER": "1"}
PROTOTYPES = {each: f"prototype_{each}" for each in ("stock", "bare", "lean")}

CONTESTANTS = {
    each.name: each
    for each in [
        Contestant(name="bare", application="bare"),
        Contestant(name="stock", application="stock"),
        Contestant(
            name="kick",
            application="kick",
            target="/?token={}",
            environ={"BENCH_WITHOUT_US": "1"},
        ),
        Contestant(name="tutorial", application="tutorial", target="/?token={}"),
        Contestant(
            name="tutorial-reconnecting",
            application="tutorial",
            target="/?token={}",
            environ={"BENCH_CONN_MAX_AGE": "0"},
        ),
        Contestant(
            name="peer-auth-token",
            application="peer_auth_token",
            header="Authorization: Token {}\r\n",
        ),
        Contestant(
            name="peer-jwt",
            application="peer_jwt",
            target="/?token={}",
            good=people.json_web_token,
            bad=people.bad_json_web_token,
        ),
        *(
            Contestant(name=f"prototype-{inside}{suffix}", application=module, header=BEARER, **how)
            for inside, module in PROTOTYPES.items()
            for suffix, how in {"": {"environ": COLD}, "-warm": {"people": FEW}}.items()
        ),
        Contestant(name="ours-stock", application="ours_stock", header=BEARER, environ=COLD),
        Contestant(name="ours-stock-warm", application="ours_stock", header=BEARER, people=FEW),
        Contestant(name="ours-bare", application="ours_bare", header=BEARER, environ=COLD),
        Contestant(name="ours", application="ours", header=BEARER, environ=COLD),
        Contestant(name="ours-remote", application="ours", header=BEARER, environ=COLD),
        Contestant(
            name="revoke-user",
            application="ours",
            header=BEARER,
            good=people.provider_token,
            bad=people.bad_provider_token,
            environ=PROVIDER,
        ),
        Contestant(
            name="logout",
            application="ours",
            header=BEARER,
            good=people.provider_token,
            bad=people.bad_provider_token,
            environ=PROVIDER | {"BENCH_WAY": "logout"},
        ),
        Contestant(name="ours-warm", application="ours", header=BEARER, people=FEW),
        Contestant(name="ours-bare-warm", application="ours_bare", header=BEARER, people=FEW),
        *(
            Contestant(
                name=name,
                application="ours",
                header=BEARER,
                environ=COLD | {"BENCH_EVERYTHING": words},
            )
            for name, words in FEATURES.items()
        ),
        Contestant(
            name="ours-log-lines",
            application="ours_log_lines",
            header=BEARER,
            environ=COLD | {"BENCH_EVERYTHING": "off"},
        ),
        Contestant(
            name="ours-log-lines-later",
            application="ours_log_lines",
            header=BEARER,
            environ=COLD | {"BENCH_EVERYTHING": "off", "BENCH_LINES": "later"},
        ),
        Contestant(
            name="ours-correlation",
            application="ours",
            header=BEARER + CORRELATION,
            environ=COLD | {"BENCH_EVERYTHING": "off"},
        ),
        Contestant(
            name="ours-all-correlated",
            application="ours",
            header=BEARER + CORRELATION,
            environ=COLD | {"BENCH_EVERYTHING": "on"},
        ),
    ]
}
