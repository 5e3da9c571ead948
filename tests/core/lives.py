"""Lives of sockets for tests: one in each state, and what they say, readable."""

import json

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.lifecycle import (
    Abandon,
    Close,
    Lifecycle,
    Output,
    Rules,
    Send,
    State,
    Verify,
    Warn,
)

__all__ = [
    "AUTH",
    "AWAY",
    "IN",
    "LIFETIME",
    "PING",
    "USER",
    "admitted",
    "anonymous",
    "auth",
    "awaiting",
    "error",
    "ok",
    "reauthenticating",
    "said",
    "verifying",
]

USER, LIFETIME = 7, 100
AWAY = TokenAuthError(CloseReason.UNAVAILABLE, retry_after=5)
PING = '{"type":"auth.ping"}'


def auth(token: str) -> str:
    return json.dumps({"type": "auth", "token": token})


AUTH = auth("fresh")


def said(outputs: list[Output] | None) -> list | None:
    """Messages as objects, a close as its code, a token to be verified as the token itself."""
    return outputs if outputs is None else [_short(output) for output in outputs]


def _short(output: Output):
    match output:
        case Send(text) | Warn(text):
            return json.loads(text)
        case Close(code):
            return code
        case Verify(secret):
            return secret.reveal()
        case Abandon():
            return "abandoned"


def ok(expires_in=LIFETIME, user_id=str(USER)):
    return {"type": "auth.ok", "expires_in": expires_in, "user_id": user_id}


def error(code, *, retry=False, retry_after=None):
    return {"type": "auth.error", "code": code, "retry": retry, "retry_after": retry_after}


# -- One in each state, at time 0


def connecting(**rules) -> Lifecycle:
    return Lifecycle(Rules(**rules))


def awaiting(**rules) -> Lifecycle:
    life = connecting(**rules)
    life.await_credential(0)
    return life


def verifying(**rules) -> Lifecycle:
    """Its credential came in the handshake."""
    life = connecting(**rules)
    life.present()
    return life


def admitted(lifetime=LIFETIME, *, speaks=True, **rules) -> Lifecycle:
    """The application has accepted it; `speaks`: with our subprotocol."""
    life = verifying(**rules)
    life.admit(USER, lifetime, 0)
    life.accept(speaks=speaks, now=0)
    return life


def anonymous(**rules) -> Lifecycle:
    life = connecting(**rules)
    life.admit(None, None, 0)
    life.accept(speaks=True, now=0)
    return life


def reauthenticating(lifetime=LIFETIME, **rules) -> Lifecycle:
    life = admitted(lifetime, **rules)
    life.text(AUTH, 0)
    return life


def closed(**rules) -> Lifecycle:
    life = admitted(**rules)
    life.leave()
    return life


IN = {
    State.CONNECTING: connecting,
    State.AWAITING_CREDENTIAL: awaiting,
    State.AUTHENTICATING: verifying,
    State.AUTHENTICATED: admitted,
    State.REAUTHENTICATING: reauthenticating,
    State.CLOSED: closed,
}
"""How to get a socket of each state."""
