"""Send requests to one server of the site's choice, within bounds: time, bytes, no redirects.

Key servers and authorization servers decide who is admitted, so no host on the network path may
answer in their place: only https is used, or http to this machine itself. Nothing here logs.
"""

import base64
import io
import ipaddress
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

__all__ = ["Remote", "RemoteError", "Response"]

HEADER_BYTES = 64 * 1024
"""Most bytes of an answer's head."""

HEADERS = {"Accept": "application/json", "User-Agent": "channels-token-auth"}

# A connection that was kept open, and that the server has closed meanwhile.
_STALE = (ConnectionError,)


class RemoteError(Exception):
    """A request failed. The text contains the reason, but no part of request or answer."""


class OutOfBoundsError(ValueError):
    """An answer that is over a bound, or shorter than it announced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A server's answer. Redirects are not followed, and returned like any other answer."""

    status: int
    body: bytes = field(repr=False)


class Remote:
    """A client of one URL. `timeout`: seconds for an answer; `max_bytes`: of its body; `max_idle`:
    connections that are kept open for the next request.
    """

    def __init__(self, url: str, *, timeout: float, max_bytes: int, max_idle: int = 0) -> None:
        self._url = url
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._idle: deque[HTTPConnection] = deque(maxlen=max_idle)
        weakref.finalize(self, _close, self._idle)

    @cached_property
    def problem(self) -> str:
        """Why the URL is not safe to use; "" if it is."""
        try:
            parts = urlsplit(self._url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return "is not a URL"
        if not host or parts.username is not None or parts.fragment:
            return "needs a host, and neither a user nor a fragment"
        if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
            return ""
        return "is neither https nor on this machine: anybody on the way could answer"

    def send(
        self, method: str, *, headers: Mapping[str, str] = HEADERS, body: bytes | None = None
    ) -> Response:
        """Send a request and return the answer. Raises RemoteError."""
        if self.problem:
            raise RemoteError(f"its URL {self.problem}")
        try:
            # The one that was used last: the server is the least likely to have closed it.
            kept = self._idle.pop()
        except IndexError:
            return self._exchange(self._connection(), method, headers, body)
        try:
            return self._exchange(kept, method, headers, body)
        except RemoteError as error:
            if not isinstance(error.__cause__, _STALE):
                raise
        # Only the idle connection was broken: the server itself may answer on a new one.
        return self._exchange(self._connection(), method, headers, body)

    def _exchange(
        self,
        connection: HTTPConnection,
        method: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Response:
        limits = _Limits(time.monotonic() + self._timeout, self._max_bytes)
        connection.response_class = limits.response  # type: ignore[assignment] # called as a class is
        target = self._parts.path or "/"
        if self._parts.query:
            target += f"?{self._parts.query}"
        try:
            connection.request(method, target, body, dict(headers))
            with connection.getresponse() as response:
                answer = Response(status=response.status, body=self._body(response))
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            # An HTTPException may quote the answer, and any other ValueError the request: that of
            # http.client about a header has the header's value, which may be a secret.
            is_quotable = isinstance(error, OSError | OutOfBoundsError) and not isinstance(
                error, HTTPException
            )
            text = f": {error}" if is_quotable else ""
            raise RemoteError(f"{type(error).__name__}{text}") from error
        if response.will_close or not self._idle.maxlen:
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def _body(self, response: HTTPResponse) -> bytes:
        # Read in parts: a read of all would allocate as many bytes as the head announces.
        body = b""
        while chunk := response.read1(8192):
            body += chunk
            if len(body) > self._max_bytes:
                raise OutOfBoundsError("too large")
        if response.length:
            raise OutOfBoundsError("cut short")
        return body

    @cached_property
    def _parts(self) -> SplitResult:
        return urlsplit(self._url)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _connection(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":  # to loopback, which no proxy may see
            return HTTPConnection(host, port, timeout=self._timeout)
        # As `urllib` does, by the variables `https_proxy` and `no_proxy`.
        proxy = "" if proxy_bypass(host) else getproxies().get("https", "")
        if not proxy:
            return HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
        # Without slashes, `urlsplit` would take the host in "proxy:3128" for a scheme.
        by = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        tunnel = HTTPSConnection(
            by.hostname or "", by.port or 80, timeout=self._timeout, context=self._tls
        )
        # By CONNECT (RFC 9110, section 9.3.6): TLS begins at the server behind the proxy, which
        # does not see the token.
        tunnel.set_tunnel(host, port or 443, headers=_proxy_authorization(by))
        return tunnel


class _Limits:
    """The deadline of one answer, and its bytes, head included."""

    def __init__(self, ends_at: float, max_bytes: int) -> None:
        self._ends_at = ends_at
        self._left = 2 * max_bytes + HEADER_BYTES  # chunks have heads of their own

    def response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        """Build the response as http.client does, with bounds on what it reads."""
        response = HTTPResponse(sock, *args, **kwargs)
        response.fp.close()
        response.fp = io.BufferedReader(_Bounded(sock, self))
        return response

    def receive(self, sock: socket.socket, buffer: Any) -> int:
        """Receive within the bounds: a timeout of sockets bounds each receive, and not all."""
        sock.settimeout(max(self._ends_at - time.monotonic(), 0.001))
        number = sock.recv_into(buffer)
        self._left -= number
        if self._left < 0:
            raise OutOfBoundsError("too large")
        if time.monotonic() > self._ends_at:
            raise TimeoutError("the answer took too long")
        return number


class _Bounded(io.RawIOBase):
    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
        # Kept open by its own file, as http.client does: the connection may close its socket.
        self._file = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._limits.receive(self._sock, buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def _close(connections: Iterable[HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _proxy_authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
