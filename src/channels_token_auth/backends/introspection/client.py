"""Ask an authorization server about tokens (RFC 7662 §2).

The requests of a batch are sent in parallel, with one deadline. A slow answer is left out, and
delays no other. No secret is logged.
"""

import base64
import json
import logging
import random
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.core.exceptions import ImproperlyConfigured

from ...core.credentials import Secret, is_visible
from ...observability.throttle import Throttle
from ..outages import introspection_outages, public_url
from ..sources.remote import HEADERS, Remote, RemoteError, Response

__all__ = ["MAX_ANSWER", "IntrospectionClient", "SiteCredentials"]

MAX_ANSWER = 64 * 1024
"""Most bytes of an answer. Claims are short."""

FORM = {**HEADERS, "Content-Type": "application/x-www-form-urlencoded"}

INACTIVE: Mapping[str, Any] = {"active": False}

ABOUT_TOKEN = frozenset({"invalid_grant", "invalid_token", "unsupported_token_type"})
"""Errors that refuse one token (RFC 6749 §5.2, RFC 7009 §2.2.1)."""

AMBIGUOUS = frozenset({"invalid_request"})
"""Errors about the token, if the server has accepted other requests of ours; else about us."""

_HINTS = dict.fromkeys(
    ("answered 401", "answered 403"), " The site's own credentials there are wrong: see OPTIONS."
)

logger = logging.getLogger("channels_token_auth")


class SiteCredentials:
    """The credentials of this site at the server: a client's id and secret, or a bearer token."""

    def __init__(
        self, client_id: str | None, client_secret: str | None, bearer_token: str | None
    ) -> None:
        self.authorizations = [
            *([_basic(client_id, client_secret)] if client_id and client_secret else []),
            *([Secret(f"Bearer {bearer_token}")] if bearer_token else []),
        ]
        # A file that holds a token usually ends with a line break, which no header may have. A
        # token with a space was copied with its scheme: "Bearer abc".
        self._has_bad_token = bool(bearer_token) and not _is_plain(bearer_token)

    @property
    def problem(self) -> str:
        """Why no request can be sent with them; "" if one can."""
        if len(self.authorizations) != 1:
            return "Introspection needs a client id and secret, or else a bearer token."
        if self._has_bad_token:
            return (
                "The bearer token for introspection has a space, a line break or another character"
                " that no bearer token has: give the token alone, without the word Bearer."
            )
        return ""


class IntrospectionClient:
    """Sends requests to `url`, with this site's `own` credentials there.

    `timeout`: seconds for a whole batch. `max_parallel`: requests at a time.
    """

    def __init__(
        self,
        url: str,
        own: SiteCredentials,
        *,
        timeout: float,
        max_parallel: int,
    ) -> None:
        self._name = public_url(url)
        # Backends may ask one URL with different credentials, of which only some are accepted.
        parts = [url, *(each.digest for each in own.authorizations)]
        self._digest = Secret(" ".join(parts)).digest
        self._remote = Remote(url, timeout=timeout, max_bytes=MAX_ANSWER, max_idle=max_parallel)
        self._own = own
        self._timeout = timeout
        self._max_parallel = max_parallel
        self._lock = threading.Lock()
        self._throttle = Throttle()
        self._reported: set[str] = set()
        """The problems that were logged since the last good answer."""
        self._has_answered = False

    def ask(self, secrets: Collection[Secret]) -> dict[Secret, Mapping[str, Any]]:
        """Return the claims about each token. Those without an answer in time are missing."""
        if problem := self.problem():
            raise ImproperlyConfigured(problem)
        # A pool for this batch only: a thread that waits for a late answer delays no later batch.
        name = "channels-token-auth introspection"
        pool = ThreadPoolExecutor(min(len(secrets), self._max_parallel), name)
        # If there is not enough time for all, others are first the next time.
        order = random.sample(list(secrets), len(secrets))
        asked = {pool.submit(self._ask, secret): secret for secret in order}
        done, late = wait(asked, self._timeout)
        pool.shutdown(wait=False, cancel_futures=True)
        if late:
            self._report(f"took over {self._timeout} s")
        answers = {asked[future]: future.result() for future in done}
        return {secret: claims for secret, claims in answers.items() if claims is not None}

    def problem(self) -> str:
        """Return why it is not safe to send tokens to the server; "" if it is."""
        if self._remote.problem:
            return f"The introspection URL {self._remote.problem}."
        return self._own.problem

    def _ask(self, secret: Secret) -> Mapping[str, Any] | None:
        try:
            answer = self._send(secret)
            claims = self._read(answer)
        except RemoteError as error:
            self._report(f"failed: {error}")
        except (RecursionError, ValueError) as error:  # whose text may quote the answer
            self._report(f"gave an answer that cannot be read ({type(error).__name__})")
        else:
            if claims is None:
                self._report(f"answered {answer.status}")
            return claims
        return None

    def _send(self, secret: Secret) -> Response:
        # In a function of its own: some error reporters read the variables of all frames from which
        # something is logged, and these two contain the token and this site's own credentials.
        form = {"token": secret.reveal(), "token_type_hint": "access_token"}
        headers = {**FORM, "Authorization": self._own.authorizations[0].reveal()}
        # The hint is optional, and may save the server a search (RFC 7662, section 2.1).
        return self._remote.send("POST", headers=headers, body=urlencode(form).encode())

    def _read(self, answer: Response) -> Mapping[str, Any] | None:
        """Return the claims about the token; None if the answer does not concern it."""
        # RFC 7662, section 2.2: also an unknown token is answered with 200 and "active": false.
        if answer.status == 200:
            claims = json.loads(answer.body)
            if not isinstance(claims, dict) or not isinstance(claims.get("active"), bool):
                raise ValueError("Not an RFC 7662 introspection response.")
            self._recover()
            return claims
        # Any other answer is about this site's own credentials, or comes from a server that fails.
        return INACTIVE if answer.status == 400 and self._is_about_token(answer) else None

    def _is_about_token(self, answer: Response) -> bool:
        try:
            body = json.loads(answer.body)
        except (RecursionError, ValueError):
            return False
        # RFC 6749, section 5.2, as some servers answer for a token that they cannot read.
        error = body.get("error") if isinstance(body, dict) else None
        return isinstance(error, str) and (
            error in ABOUT_TOKEN or (error in AMBIGUOUS and self._has_answered)
        )

    def _recover(self) -> None:
        with self._lock:
            self._has_answered = True
            was_reported = bool(self._reported)
            self._reported.clear()
        if was_reported:
            logger.warning("The token introspection endpoint answers again.")
        introspection_outages.works(self._name, of=self._digest)

    def _report(self, what: str) -> None:
        """Log the problem once, until the server answers without errors again."""
        with self._lock:
            # With a throttle: a client may present a token about which the server fails, again and
            # again between good answers.
            is_new = what not in self._reported and self._throttle.allows(what)
            if is_new:
                self._reported.add(what)
        if is_new:
            logger.error("The token introspection endpoint %s.%s", what, _HINTS.get(what, ""))
        introspection_outages.failed(self._name, RemoteError(what), of=self._digest)


def _is_plain(token: str | None) -> bool:
    """Return True for visible ASCII characters. RFC 6750 §2.1 allows fewer; servers take more."""
    return token is not None and token.isascii() and is_visible(token)


def _basic(client_id: str, client_secret: str) -> Secret:
    # Both are form-encoded first (RFC 6749 §2.3.1), so that they may contain a colon.
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")
