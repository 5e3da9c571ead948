"""The life of a socket as an object without I/O: what happens in, what to do out.

Rule 1: `TRANSITIONS` is the only truth about states; the diagram in the docs is drawn from it. An
event that it does not know is a bug of the caller's, an error that leaves the state as it was.

Rule 2: a socket that is closed does nothing more. Whatever happens then has happened too late, so
the inputs below answer it with nothing.

Time comes in as `now`, in seconds of a clock that never goes back.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import StrEnum

from ..close_codes import CloseReason
from ..credentials import Secret
from ..errors import TokenAuthError
from ..messages import AuthControl, InvalidControl, PingControl, error_message, read_control, write

__all__ = [
    "TRANSITIONS",
    "Close",
    "Event",
    "Lifecycle",
    "Output",
    "Rules",
    "Send",
    "State",
    "Verify",
]

MAX_REAUTHENTICATIONS = 10
"""Reauthentications in `REAUTHENTICATION_WINDOW` seconds at most: more are a flood."""

REAUTHENTICATION_WINDOW = 60.0


class State(StrEnum):
    """Where a socket is in its life."""

    CONNECTING = "connecting"
    AWAITING_CREDENTIAL = "awaiting_credential"
    AUTHENTICATING = "authenticating"
    AUTHENTICATED = "authenticated"
    REAUTHENTICATING = "reauthenticating"
    CLOSED = "closed"


class Event(StrEnum):
    """What moves a socket from state to state."""

    AWAIT = "no credential yet"
    PRESENT = "credential presented"
    ADMIT = "admitted"
    KEEP = "store away"
    END = "closed"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.CONNECTING: {
        Event.AWAIT: State.AWAITING_CREDENTIAL,
        Event.PRESENT: State.AUTHENTICATING,
        Event.ADMIT: State.AUTHENTICATED,
        Event.END: State.CLOSED,
    },
    State.AWAITING_CREDENTIAL: {
        Event.PRESENT: State.AUTHENTICATING,
        Event.END: State.CLOSED,
    },
    State.AUTHENTICATING: {
        Event.ADMIT: State.AUTHENTICATED,
        Event.END: State.CLOSED,
    },
    State.AUTHENTICATED: {
        Event.PRESENT: State.REAUTHENTICATING,
        Event.END: State.CLOSED,
    },
    State.REAUTHENTICATING: {
        Event.ADMIT: State.AUTHENTICATED,
        Event.KEEP: State.AUTHENTICATED,
        Event.END: State.CLOSED,
    },
    State.CLOSED: {},
}


_BEFORE_ADMISSION = (State.CONNECTING, State.AWAITING_CREDENTIAL, State.AUTHENTICATING)
# What every socket goes through: before Python 3.12 to look into an enum takes ten times as long.
_AUTHENTICATED, _REAUTHENTICATING = State.AUTHENTICATED, State.REAUTHENTICATING
_CLOSED = State.CLOSED
_PRESENT, _ADMIT, _END = Event.PRESENT, Event.ADMIT, Event.END


@dataclass(frozen=True, slots=True)
class Send:
    """Send a text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Have a token verified; then tell `admit` or `refuse`."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket."""

    code: CloseReason


Output = Send | Verify | Close


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings that a life depends on. Times in seconds; None: no bound."""

    max_token_bytes: int = 4096
    auth_timeout: float = 10.0
    expiry_warning: float = 30.0
    max_connection_age: float | None = None


class Lifecycle:
    """One socket's life. Every input returns what to do about it, in order."""

    __slots__ = (
        "_ages_at", "_expires_at", "_identity", "_presented", "_rules", "_speaks", "_warns",
        "state",
    )  # fmt: skip

    def __init__(self, rules: Rules) -> None:
        self.state = State.CONNECTING
        self._rules = rules
        self._speaks = False
        self._identity: Hashable = None
        self._expires_at: float | None = None
        self._ages_at: float | None = None
        self._warns = False
        self._presented: deque[float] | None = None

    @property
    def next_tick(self) -> float | None:
        """When `tick` has something to do, None for never."""
        deadline = self._deadline
        if deadline is None or self.state in (_CLOSED, _REAUTHENTICATING):
            return None
        return deadline - self._rules.expiry_warning if self._warns else deadline

    @property
    def _deadline(self) -> float | None:
        """The time of the end if nothing happens: expiry or age, whichever is first."""
        if self._expires_at is None or self._ages_at is None:
            return self._ages_at if self._expires_at is None else self._expires_at
        return min(self._expires_at, self._ages_at)

    # -- Before the application

    def present(self) -> None:
        """The handshake holds a credential, which is being verified."""
        self._move(_PRESENT)

    def await_credential(self, now: float) -> list[Output]:
        """The socket is accepted, and the client has to send its token first."""
        self._move(Event.AWAIT)
        self._speaks = True
        self._expires_at = now + self._rules.auth_timeout
        return [Send(write("auth.required", timeout=int(self._rules.auth_timeout)))]

    def admit(self, identity: Hashable, lifetime: float | None, now: float) -> list[Output]:
        """A verdict: the token is `identity`'s, for so many seconds; None and None: anonymous."""
        if self.state is _CLOSED:
            return []
        if self.state is _REAUTHENTICATING and identity != self._identity:
            return self.end(TokenAuthError(CloseReason.IDENTITY_CHANGED))
        self._move(_ADMIT)
        self._identity = identity
        age = self._rules.max_connection_age
        self._expires_at = None if lifetime is None else now + lifetime
        self._ages_at = None if age is None else now + age
        return self._announce(now) if self._speaks else []

    def accept(self, *, speaks: bool, now: float) -> list[Output]:
        """The application accepted; `speaks`: with our subprotocol."""
        if self._speaks or not speaks or self.state is not _AUTHENTICATED:
            return []
        self._speaks = True
        return self._announce(now)

    # -- On the open socket

    @property
    def listens(self) -> bool:
        """Whether a text frame may be meant for it. Where not, all are the application's."""
        return self._speaks or self.state is not _AUTHENTICATED

    def text(self, frame: str, now: float) -> list[Output] | None:
        """A text frame of the client's: what to do, or None where it is the application's."""
        if self.state is _CLOSED:
            return []
        if not self.listens:
            return None
        control = read_control(frame, max_token_bytes=self._rules.max_token_bytes)
        if isinstance(control, InvalidControl):
            return self.end(TokenAuthError(control.code))
        if self.state is State.AWAITING_CREDENTIAL and isinstance(control, AuthControl):
            self._move(_PRESENT)
            self._expires_at = None
            return [Verify(control.secret)]
        if self.state in _BEFORE_ADMISSION:
            return self.end(TokenAuthError(CloseReason.MALFORMED))
        match control:
            case PingControl():
                return [Send(write("auth.pong"))]
            case AuthControl(secret):
                return self._reauthenticate(secret, now)
        return None

    def binary(self) -> list[Output] | None:
        """A binary frame of the client's: always the application's, once there is one."""
        if self.state in _BEFORE_ADMISSION:
            return self.end(TokenAuthError(CloseReason.MALFORMED))
        return [] if self.state is _CLOSED else None

    def refuse(self, error: TokenAuthError, now: float) -> list[Output]:
        """A verdict: no. Where it only says "not now", an authenticated socket lives on."""
        if self.state is not _REAUTHENTICATING or not error.code.is_transient:
            return self.end(error)
        self._move(Event.KEEP)
        return [self._error(error), *self.tick(now)]

    def tick(self, now: float) -> list[Output]:
        """Time has passed: warn, or end.

        A token that expires while its successor is verified waits for that verdict.
        """
        deadline = self._deadline
        if deadline is None or self.state in (_CLOSED, _REAUTHENTICATING):
            return []
        if now >= deadline:
            awaited = self.state is State.AWAITING_CREDENTIAL
            return self.end(
                TokenAuthError(CloseReason.AUTH_TIMEOUT if awaited else CloseReason.TOKEN_EXPIRED)
            )
        if self._warns and now >= deadline - self._rules.expiry_warning:
            self._warns = False
            return [Send(write("auth.expiring", expires_in=self.expires_in(now)))]
        return []

    def expires_in(self, now: float) -> int | None:
        """Whole seconds until the end if nothing happens, None for never."""
        return None if self._deadline is None else max(0, int(self._deadline - now))

    def jump(self, seconds: float) -> None:
        """The calendar went ahead of the clock: a token expires that much sooner."""
        if self._expires_at is not None and self.state is not State.AWAITING_CREDENTIAL:
            self._expires_at -= seconds

    def end(self, error: TokenAuthError) -> list[Output]:
        """The socket has to go: revoked, draining, a violation."""
        if self.state is _CLOSED:
            return []
        self._move(_END)
        return [*([self._error(error)] if self._speaks else []), Close(error.code)]

    def leave(self) -> None:
        """The peer, or the application, has closed the socket."""
        if self.state is not _CLOSED:
            self._move(_END)

    # -- Private

    def _move(self, event: Event) -> None:
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            raise RuntimeError(f"A socket that is {self.state} cannot be: {event}") from None

    def _reauthenticate(self, secret: Secret, now: float) -> list[Output]:
        is_second = self.state is _REAUTHENTICATING
        if is_second or self._is_flood(now):
            wait = int(REAUTHENTICATION_WINDOW)
            return self.end(TokenAuthError(CloseReason.RATE_LIMITED, retry_after=wait))
        if self._identity is None:
            return self.end(TokenAuthError(CloseReason.IDENTITY_CHANGED))
        self._presented = self._presented or deque(maxlen=MAX_REAUTHENTICATIONS)
        self._presented.append(now)
        self._move(_PRESENT)
        return [Verify(secret)]

    def _is_flood(self, now: float) -> bool:
        recent = self._presented
        if recent is None or len(recent) < MAX_REAUTHENTICATIONS:
            return False
        return now - recent[0] < REAUTHENTICATION_WINDOW

    def _announce(self, now: float) -> list[Output]:
        """`auth.ok`, and when to warn: at once where less time is left than that."""
        deadline = self._deadline
        self._warns = deadline is not None
        user_id = None if self._identity is None else str(self._identity)
        ok = write("auth.ok", expires_in=self.expires_in(now), user_id=user_id)
        return [Send(ok), *self.tick(now)]

    @staticmethod
    def _error(error: TokenAuthError) -> Send:
        return Send(error_message(error))
