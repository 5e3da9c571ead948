"""Fetch an issuer's keys from its key server (RFC 7517), rarely and in the background.

No function here waits. A known key is returned at once. For an unknown key, a thread fetches the
keys, and until then the token's verdict is `Undecided`. Any client can name an unknown key, so
fetches have a minimum interval; and a token is invalid only if its key is missing in keys that were
fetched after it was presented.
"""

import json
import math
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from typing import Any

import jwt

from ....clock import clock
from ....core.close_codes import CloseReason
from ....core.credentials import Secret
from ....core.errors import Detail, TokenAuthError
from ....observability.error_log import log_error
from ...contract import Undecided, Unrecognized
from ...outages import key_outages, public_url
from ..remote import Remote, RemoteError
from .errors import NOT_A_JWT, UNREADABLE, WRONG_ISSUER
from .keys import VerifyingKey, read_jwks

__all__ = ["ABSENT_SECONDS", "INTERVAL", "MAX_BYTES", "KeyServer"]

MAX_BYTES = 256 * 1024
"""Most bytes of an answer that are read."""

INTERVAL = 10.0
"""Seconds between two fetches at least."""

ABSENT_SECONDS = 60.0
"""Seconds until a key that was missing is looked for again."""

MAX_ABSENT = 1024
"""Most missing keys that are stored: clients can name any number of them."""

KEYS_UNAVAILABLE = Detail(
    slug="keys_unavailable",
    remedy="The key server cannot be reached: see the error that was logged with its address.",
)
KEY_PENDING = Detail(
    slug="key_pending",
    remedy="The token names a key that the key server did not have when it was last asked. It is"
    " asked again, at most every 10 s.",
)


class KeyServer:
    """The keys at `url`. They are used for `lifetime` seconds, and then refreshed in the
    background; while the server is unavailable, they are used for `stale` seconds more.

    `issuers`: the issuers whose tokens these keys sign, if known.
    """

    def __init__(
        self,
        url: str,
        *,
        algorithms: Sequence[str],
        issuers: Sequence[str] = (),
        lifetime: float = 300,
        stale: float = 3600,
        timeout: float = 3,
    ) -> None:
        self._name = public_url(url)
        # URLs may differ in a part that is not shown, as the query of Azure AD B2C.
        self._digest = Secret(url).digest
        self._remote = Remote(url, timeout=timeout, max_bytes=MAX_BYTES)
        self._algorithms = algorithms
        self._issuers = issuers
        self._lifetime = lifetime
        self._stale = stale
        self._timeout = timeout
        self._lock = threading.Lock()
        self._keys: Sequence[VerifyingKey] = ()
        # When the last fetch that succeeded began, and the last of all.
        self._fetched_at = self._tried_at = -math.inf
        self._is_unavailable = False
        self._fetching: Future[None] | None = None
        # The number of the last fetch that began, and of the last that succeeded.
        self._begun = self._succeeded = 0
        # When each key was first missing, and the last fetch that had begun by then.
        self._missed: dict[str, tuple[float, int]] = {}

    def known(self, key_id: str | None) -> Sequence[VerifyingKey]:
        """Return the known keys with this id; all, if a token names none. Refresh old ones."""
        with self._lock:
            self._refresh_if_old()
            return [each for each in self._usable() if key_id is None or each.key_id == key_id]

    def look_for(self, key_id: str | None, raw: str) -> TokenAuthError | None:
        """Look for the unknown key of a token. Return the verdict until it is found; None if there
        is no such key.
        """
        try:
            claims = jwt.decode(raw, options={"verify_signature": False})
        except UNREADABLE:
            return Unrecognized(NOT_A_JWT)
        # The issuer is not verified yet. It only decides whether a fetch could find the key.
        if self._issuers and claims.get("iss") not in self._issuers:
            expected = WRONG_ISSUER.expecting("The option 'issuer'", list(self._issuers))
            return Unrecognized(expected)
        return self._look_for(key_id or Secret(raw).digest)

    def _look_for(self, name: str) -> TokenAuthError | None:
        with self._lock:
            now = clock.steady()
            # A key is absent only if a fetch that began after this first question did not bring it:
            # one that was running may have read the document before the key was added.
            missed_at, begun = self._missed.get(name, (-math.inf, 0))
            if now - missed_at > ABSENT_SECONDS:
                self._missed.pop(name, None)
                # The oldest: a client that invents names can only remove its own from the list.
                while len(self._missed) >= MAX_ABSENT:
                    del self._missed[next(iter(self._missed))]
                self._missed[name] = (now, self._begun)
            elif self._succeeded > begun:
                return None
            return self._undecided(now)

    def withdrawn(self, thumbprints: Collection[str]) -> Collection[str] | None:
        """Return the keys that the server no longer publishes; None if that is unknown."""
        with self._lock:
            self._refresh_if_old()
            # By thumbprint (RFC 7638): a server may give another key an id that it has used before.
            known = {each.thumbprint for each in self._usable()}
            return set(thumbprints) - known if known else None

    def _usable(self) -> Sequence[VerifyingKey]:
        return self._keys if self._age() <= self._lifetime + self._stale else ()

    def _refresh_if_old(self) -> None:
        if self._keys and self._age() > self._lifetime:
            self._fetch(clock.steady())

    def _age(self) -> float:
        return clock.steady() - self._fetched_at

    def _undecided(self, now: float) -> TokenAuthError:
        fetching = self._fetch(now)
        if fetching is not None:
            return Undecided(fetching, KEY_PENDING)
        # A client that names an unknown key waits for the next fetch that is allowed.
        wait = math.ceil(self._tried_at + INTERVAL - now)
        detail = KEYS_UNAVAILABLE if self._is_unavailable else KEY_PENDING
        return TokenAuthError(CloseReason.UNAVAILABLE, max(wait, 1), detail)

    def _fetch(self, now: float) -> "Future[None] | None":
        """Return the fetch that is running, or start one if it is time; else None."""
        # A fetch that is still running after its timeout hangs, or its thread was lost in a fork.
        if self._fetching is not None and now - self._tried_at <= self._timeout + 1:
            return self._fetching
        self._fetching = None
        if now - self._tried_at < INTERVAL:
            return None
        self._tried_at = now
        self._begun += 1
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # so that no caller can cancel it
        thread = threading.Thread(
            target=self._download,
            args=[done, now, self._begun],
            name="channels-token-auth keys",
            daemon=True,
        )
        try:
            thread.start()
        except RuntimeError as error:  # a limit of the system, or the process is ending
            # Known keys are good without a fetch, and the next one is tried after the interval.
            self._is_unavailable = True
            log_error("The keys of a server could not be fetched.", error, brief=True)
            return None
        self._fetching = done
        return done

    def _download(self, done: "Future[None]", began_at: float, number: int) -> None:
        try:
            keys = self._read()
        except Exception as error:  # noqa: BLE001 - whatever a network and a stranger's JSON raise
            if self._fail(done, number):
                key_outages.failed(self._name, error, of=self._digest)
        else:
            self._succeed(done, keys, began_at, number)
            key_outages.works(self._name, of=self._digest)
        done.set_result(None)

    def _read(self) -> Sequence[VerifyingKey]:
        answer = self._remote.send("GET")
        # Redirects are not followed: the keys of another host would sign for this issuer.
        if answer.status != 200:
            raise RemoteError(f"it answered {answer.status}")
        document: Any = json.loads(answer.body)
        return read_jwks(document, self._algorithms)

    def _fail(self, done: "Future[None]", number: int) -> bool:
        """Note a failure. Return True unless a later fetch has succeeded."""
        with self._lock:
            self._end(done)
            self._is_unavailable = number > self._succeeded
            return self._is_unavailable

    def _succeed(
        self,
        done: "Future[None]",
        keys: Sequence[VerifyingKey],
        began_at: float,
        number: int,
    ) -> None:
        with self._lock:
            self._end(done)
            # A fetch that was given up may end after a later one, with older keys.
            if number > self._succeeded:
                self._keys, self._fetched_at, self._succeeded = keys, began_at, number
                self._is_unavailable = False

    def _end(self, done: "Future[None]") -> None:
        if self._fetching is done:
            self._fetching = None
