"""How another authorization server is asked about tokens (RFC 7662 §2), and no more than that.

A batch is asked in parallel, and has one deadline: what is slow is answered "unavailable", and
delays nobody else's. Nothing secret gets into a log.
"""

import base64
import ipaddress
import json
import logging
import random
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from django.core.exceptions import ImproperlyConfigured
from requests.adapters import HTTPAdapter

from ...core.credentials import Secret

__all__ = ["MAX_ANSWER", "IntrospectionClient"]

MAX_ANSWER = 64 * 1024
"""Bytes of an answer at most: claims are short."""

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}

logger = logging.getLogger("channels_token_auth")


class IntrospectionClient:
    """Asks the server at `url`, as a client with a secret or with a bearer token of its own.

    `timeout`: seconds for a whole batch. `max_parallel`: requests at a time.
    """

    def __init__(
        self,
        url: str,
        *,
        client_id: str | None,
        client_secret: str | None,
        bearer_token: str | None,
        timeout: float,
        max_parallel: int,
    ) -> None:
        self._url = url
        self._authorizations = [
            *([_basic(client_id, client_secret)] if client_id and client_secret else []),
            *([Secret(f"Bearer {bearer_token}")] if bearer_token else []),
        ]
        self._timeout = timeout
        self._max_parallel = max_parallel
        self._reported: set[str] = set()

    def ask(self, secrets: Collection[Secret]) -> dict[Secret, Mapping[str, Any]]:
        """The claims about each token. Those without an answer in time are missing."""
        if problem := self.problem():
            raise ImproperlyConfigured(problem)
        pool = ThreadPoolExecutor(min(len(secrets), self._max_parallel), "token-introspection")
        # Of more than there is time for, others are first in line the next time.
        order = random.sample(list(secrets), len(secrets))
        asked = {pool.submit(self._ask, secret): secret for secret in order}
        done, late = wait(asked, self._timeout)
        pool.shutdown(wait=False, cancel_futures=True)
        if late:
            self._report(f"took over {self._timeout} s")
        answers = {asked[future]: future.result() for future in done}
        return {secret: claims for secret, claims in answers.items() if claims is not None}

    def problem(self) -> str:
        """Why the server can't be asked in safety; "" where it can."""
        url = urlsplit(self._url)
        if not url.hostname or url.username is not None or url.fragment:
            return "The introspection URL needs a host, and neither a user nor a fragment."
        if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.hostname)):
            return "The introspection URL is not https: anybody on the way could read the tokens."
        if len(self._authorizations) != 1:
            return "Introspection needs a client id and secret, or else a bearer token."
        return ""

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.mount(self._url, HTTPAdapter(pool_connections=1, pool_maxsize=self._max_parallel))
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # A proxy of the environment's may tunnel https; it must not read what is for loopback.
        session.trust_env = self._url.startswith("https:")
        return session

    def _ask(self, secret: Secret) -> Mapping[str, Any] | None:
        try:
            with self._session.post(
                self._url,
                data={"token": secret.reveal(), "token_type_hint": "access_token"},
                headers=HEADERS,
                auth=self._authorize,
                allow_redirects=False,  # with the token, to somewhere else
                stream=True,
                timeout=self._timeout,
            ) as response:
                if response.status_code != requests.codes.ok:
                    self._report(f"answered {response.status_code}")
                    return None
                claims = _read(response)
        except (requests.RequestException, RecursionError, ValueError) as error:
            self._report(f"failed with {type(error).__name__}")  # its text may quote the answer
            return None
        self._reported.clear()
        return claims

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._authorizations[0].reveal()
        return request

    def _report(self, what: str) -> None:
        """Once, until it answers well again."""
        if what not in self._reported:
            self._reported.add(what)
            logger.error("The token introspection endpoint %s.%s", what, _HINTS.get(what, ""))


_HINTS = dict.fromkeys(
    ("answered 401", "answered 403"), " Our own credentials there are wrong: see OPTIONS."
)


def _basic(client_id: str, client_secret: str) -> Secret:
    # Each is encoded first (RFC 6749 §2.3.1), so that they may hold a colon.
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(response: requests.Response) -> Mapping[str, Any]:
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise ValueError("The answer is too large.")
    claims = json.loads(body)
    if not isinstance(claims, dict) or not isinstance(claims.get("active"), bool):
        raise ValueError("None of RFC 7662 §2.2.")  # noqa: TRY004 - the server's error, not ours
    return claims
