"""A key server: the JWK Set behind a URL, fetched rarely, and never for longer than a timeout.

PyJWT's own client is not used: it loses its keys when a fetch fails, and what it does about
redirects and unknown keys depends on its version.
"""

import ipaddress
import json
import logging
import math
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from .keys import VerifyingKey, read_jwks

__all__ = ["KeyServer", "KeyServerAwayError", "is_safe_url"]

MAX_BYTES = 256 * 1024
"""Of an answer at most."""

RETRY_SECONDS = 10
"""Between two fetches, where the first has failed."""

UNKNOWN_KEY_SECONDS = 60
"""Between two fetches, where a token names a key that is not there: anybody can name one."""

HEADERS = {"Accept": "application/json", "User-Agent": "channels-token-auth"}

logger = logging.getLogger("channels_token_auth")


class KeyServerAwayError(Exception):
    """Whether there is such a key is not known at present."""


class KeyServer:
    """The keys behind `url`, good for `lifetime` seconds, and for `stale` more while it is away."""

    def __init__(
        self,
        url: str,
        *,
        algorithms: Sequence[str],
        lifetime: float,
        stale: float,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._clock = clock
        self._algorithms = algorithms
        self._lifetime = lifetime
        self._stale = stale
        self._timeout = timeout
        self._keys: Sequence[VerifyingKey] = ()
        self._fetched_at = self._tried_at = -math.inf
        self._is_away = False
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> Sequence[VerifyingKey]:
        """The keys that bear the id; all, where a token names none. Raises KeyServerAwayError."""
        with self._lock:
            if self._age() > self._lifetime and self._is_due(RETRY_SECONDS):
                self._fetch()
            found = self._known(key_id)
            if not found and self._is_due(UNKNOWN_KEY_SECONDS):
                self._fetch()
                found = self._known(key_id)
            if not found and self._is_away:
                raise KeyServerAwayError
            return found

    def _known(self, key_id: str | None) -> Sequence[VerifyingKey]:
        if self._age() > self._lifetime + self._stale:
            return ()
        return [each for each in self._keys if key_id is None or each.key_id == key_id]

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _is_due(self, seconds: float) -> bool:
        return self._clock() - self._tried_at >= seconds

    def _fetch(self) -> None:
        # In a thread: a timeout of sockets bounds neither a name's lookup nor a slow trickle.
        answer: Future[Sequence[VerifyingKey]] = Future()
        threading.Thread(target=self._download, args=[answer], name="jwks", daemon=True).start()
        try:
            self._keys = answer.result(self._timeout)
        except Exception as error:  # noqa: BLE001 - whatever a network and a stranger's JSON raise
            self._is_away = True
            logger.error("The key server %s cannot be asked: %r", self._url, error)  # noqa: TRY400 - one line each time it is tried
        else:
            self._is_away = False
            self._fetched_at = self._clock()
        self._tried_at = self._clock()

    def _download(self, answer: "Future[Sequence[VerifyingKey]]") -> None:
        try:
            document = _read(self._url, self._timeout)
            answer.set_result(read_jwks(document, self._algorithms))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            answer.set_exception(error)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Who may redirect us could have us take anybody's keys."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _read(url: str, timeout: float) -> Any:
    if not is_safe_url(url):
        raise ValueError("it is neither https nor on loopback")
    # A proxy of the environment's may tunnel https; it cannot reach our loopback.
    direct = [urllib.request.ProxyHandler({})] if url.startswith("http:") else []
    opener = urllib.request.build_opener(_NoRedirects, *direct)
    request = urllib.request.Request(url, headers=HEADERS)  # noqa: S310 - http and https only, see above
    try:
        with opener.open(request, timeout=timeout) as response:
            return json.loads(_body(response, time.monotonic() + timeout))
    except urllib.error.HTTPError as error:
        error.close()  # it holds a socket
        raise


def _body(response: HTTPResponse, ends_at: float) -> bytes:
    body = b""
    while chunk := response.read1(MAX_BYTES):
        body += chunk
        if len(body) > MAX_BYTES or time.monotonic() > ends_at:
            raise ValueError(f"it is slow, or answers with over {MAX_BYTES} bytes")
    return body


def is_safe_url(url: str) -> bool:
    """Whether keys may be fetched from it: by https, or from this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
