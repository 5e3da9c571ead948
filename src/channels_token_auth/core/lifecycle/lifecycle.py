"""The lifecycle of a socket as an object without I/O: it takes inputs and returns outputs.

`states` explains the states and has their table. This module has the rules: the effect of each
input in each state, and the changes that time alone causes. Callers pass the time as `now`, in
seconds of a clock that never goes back, so that tests need neither a clock nor an event loop.
"""

from collections import deque
from collections.abc import Hashable

from ..close_codes import CloseReason
from ..credentials import Secret
from ..errors import TokenAuthError
from ..identity import unavailable
from .messages import (
    AuthControl,
    InvalidControl,
    PingControl,
    error_message,
    read_control,
    read_first,
    write,
)
from .outputs import Abandon, Close, Output, Send, Verify, Warn
from .rules import MAX_REAUTHENTICATIONS, REAUTHENTICATION_WINDOW, Rules, is_flood
from .states import TRANSITIONS, Event, State
from .timetable import Timetable

__all__ = ["Lifecycle"]

_BEFORE_ADMISSION = (State.CONNECTING, State.AWAITING_CREDENTIAL, State.AUTHENTICATING)
# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_AUTHENTICATED, _REAUTHENTICATING = State.AUTHENTICATED, State.REAUTHENTICATING
_CLOSED = State.CLOSED
_OLD_TOKEN = (CloseReason.TOKEN_REVOKED, CloseReason.TOKEN_INVALID)
_PRESENT, _ADMIT, _END = Event.PRESENT, Event.ADMIT, Event.END


class Lifecycle(Timetable):
    """The life of one socket. Each input returns the outputs to act on, in order.

    An input that the current state does not allow raises RuntimeError. A closed lifecycle ignores
    all inputs.
    """

    __slots__ = ("_presented", "identity", "speaks")

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.speaks = False
        """True if the client gets `auth.*` messages, and may send them."""
        self.identity: Hashable = None
        """The user it was admitted for; None before that, and for an anonymous socket."""
        self._presented: deque[float] | None = None

    # -- Before the application

    def present(self) -> None:
        """Note that the handshake's own credential is being verified.

        The verifier enforces the deadline: another timer here would be a cost of each handshake.
        """
        self._move(_PRESENT)

    def await_credential(self, now: float) -> list[Output]:
        """Ask the client of a socket that was accepted without a credential for its token."""
        self._move(Event.AWAIT)
        self.speaks = True
        self._waits_until = now + self._rules.auth_timeout
        return [Send(write("auth.required", timeout=int(self._rules.auth_timeout)))]

    def admit(self, identity: Hashable, lifetime: float | None, now: float) -> list[Output]:
        """Admit the user of a valid token, for `lifetime` seconds. None and None: anonymous."""
        if self.state is _CLOSED:
            return []
        if self.state is _REAUTHENTICATING and identity != self.identity:
            return self.end(TokenAuthError(CloseReason.IDENTITY_CHANGED))
        # The table allows ADMIT in REAUTHENTICATING: only the check above keeps the user the same.
        self._move(_ADMIT)
        self._waits_until = self._renews_by = None
        self.identity = identity
        # Both begin anew with each token: a reauthentication is a new login for the same socket.
        age = self._rules.max_connection_age
        self._expires_at = None if lifetime is None else now + lifetime
        self._ages_at = None if age is None else now + age
        return self._announce(now) if self.speaks else []

    def accept(self, *, speaks: bool, now: float) -> list[Output]:
        """Note that the application accepted. `speaks`: with this library's subprotocol."""
        # After a first message, `auth.ok` was sent already: the client may get it once only.
        if self.speaks or not speaks or self.state is not _AUTHENTICATED:
            return []
        self.speaks = True
        return self._announce(now)

    # -- On the open socket

    def text(self, frame: str, now: float) -> list[Output] | None:
        """Take a text frame from the client. Return None if it is for the application."""
        if self.state is _CLOSED:
            return []
        if self.state is _AUTHENTICATED and not self.speaks:
            return None
        is_first = self.state is State.AWAITING_CREDENTIAL
        # A second frame before `auth.ok`, whatever it is: not even its size matters.
        if self.state in _BEFORE_ADMISSION and not is_first:
            return self.end(TokenAuthError(CloseReason.MALFORMED))
        # The first frame is read more strictly: an old client that sends application data at once
        # gets 4401, not silence (PROTOCOL.md, "Messages").
        read = read_first if is_first else read_control
        match read(frame, max_token_bytes=self._rules.max_token_bytes):
            case InvalidControl(code):
                return self.end(TokenAuthError(code))
            case AuthControl(secret):
                return self._verify(secret, now) if is_first else self._reauthenticate(secret, now)
            case PingControl():
                return [Send(write("auth.pong"))]
        return None

    def binary(self) -> list[Output] | None:
        """Take a binary frame from the client. Return None if it is for the application."""
        if self.state in _BEFORE_ADMISSION:
            return self.end(TokenAuthError(CloseReason.MALFORMED))
        return [] if self.state is _CLOSED else None

    def refuse(self, error: TokenAuthError, now: float) -> list[Output]:
        """Take a refusal of the token. An open socket survives one that is temporary."""
        if self.state is not _REAUTHENTICATING or not error.code.is_transient:
            if self.must_renew and error.code in _OLD_TOKEN:
                # The client has sent the revoked token again: it has to fetch another one (4419).
                error = TokenAuthError(CloseReason.TOKEN_EXPIRED)
            return self.end(error)
        # The old token is as good as before: only the time to verify the new one is over.
        self._move(Event.KEEP)
        self._waits_until = None
        return [self._error(error), *self.tick(now)]

    # -- Time

    def tick(self, now: float) -> list[Output]:
        """Act on the time: warn of the expiry, or close.

        While a new token is being verified, the expiry of the old one closes nothing.
        """
        if self._waits_until is not None:
            return self._time_out(now) if now >= self._waits_until else []
        deadline = self._deadline
        if deadline is None or self.state is _CLOSED:
            return []
        # At the deadline itself the token has expired (RFC 7519, section 4.1.4: "on or after").
        if now >= deadline:
            return self.end(TokenAuthError(CloseReason.TOKEN_EXPIRED))
        if self._warns and now >= deadline - self._rules.expiry_warning:
            self._warns = False
            expires_in = int(deadline - now)
            return [Warn(write("auth.expiring", expires_in=expires_in), expires_in)]
        return []

    def renew(self, lifetime: float | None, now: float) -> list[Output]:
        """Take over a new expiry of the same token, later or earlier, from the token store."""
        if self.state is _CLOSED:
            return []
        self._expires_at = None if lifetime is None else now + lifetime
        self._warns = self.speaks and self._deadline is not None
        return self.tick(now)

    def shorten(self, seconds: float, now: float) -> list[Output]:
        """Bring the deadline forward: the token was revoked, and the client may send another one.

        The client gets `auth.expiring` at once, whatever warning it got before.
        """
        if self.state is _CLOSED:
            return []
        # The earlier deadline counts: a second revocation must not give the first one more time.
        by = now + max(0.0, seconds)
        self._renews_by = by if self._renews_by is None else min(by, self._renews_by)
        self._warns = False
        outputs = self.tick(now)
        if self.state is _CLOSED or not self.speaks:
            return outputs
        expires_in = max(0, int((self._deadline or by) - now))
        # The outputs of `tick` come first: the `auth.error` of a verification that took too long.
        return [*outputs, Warn(write("auth.expiring", expires_in=expires_in), expires_in)]

    # -- The end

    def end(self, error: TokenAuthError) -> list[Output]:
        """Close the socket for any reason: a revocation, a drain, a violation of the protocol."""
        if self.state is _CLOSED:
            return []
        self.leave()
        explanation = [self._error(error)] if self.speaks else []
        return [*explanation, Close(error.code, error.retry_after, error.detail)]

    def leave(self) -> None:
        """Note that the client or the application has closed the socket."""
        if self.state is not _CLOSED:
            self._move(_END)
            self._waits_until = None

    # -- Private

    def _move(self, event: Event) -> None:
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            raise RuntimeError(f"The state {self.state} does not allow: {event}") from None

    def _verify(self, secret: Secret, now: float) -> list[Output]:
        self._move(_PRESENT)
        self._waits_until = now + self._rules.verify_timeout
        return [Verify(secret)]

    def _reauthenticate(self, secret: Secret, now: float) -> list[Output]:
        is_second = self.state is _REAUTHENTICATING
        if is_second or is_flood(self._presented or (), now):
            wait = int(REAUTHENTICATION_WINDOW)
            return self.end(TokenAuthError(CloseReason.RATE_LIMITED, retry_after=wait))
        if self.identity is None:  # an anonymous socket stays anonymous
            return self.end(TokenAuthError(CloseReason.IDENTITY_CHANGED))
        self._presented = self._presented or deque(maxlen=MAX_REAUTHENTICATIONS)
        self._presented.append(now)
        return self._verify(secret, now)

    def _time_out(self, now: float) -> list[Output]:
        """Stop waiting for the client, or for the token store."""
        if self.state is State.AWAITING_CREDENTIAL:
            return self.end(TokenAuthError(CloseReason.AUTH_TIMEOUT))
        return [Abandon(), *self.refuse(unavailable(), now)]

    def _announce(self, now: float) -> list[Output]:
        """Send `auth.ok`; and the warning too, if the token expires within `expiry_warning`."""
        deadline = self._deadline
        self._warns = deadline is not None
        user_id = None if self.identity is None else str(self.identity)
        ok = write("auth.ok", expires_in=self.expires_in(now), user_id=user_id)
        return [Send(ok), *self.tick(now)]

    @staticmethod
    def _error(error: TokenAuthError) -> Send:
        return Send(error_message(error))
