"""The states of an authenticated socket, and the events that lead from one to the next.

Theory of operation
===================

A WebSocket that this library guards is in one of six states:

- *connecting*: the opening handshake was read, and not decided yet;
- *awaiting_credential*: the handshake held no credential, so the socket was accepted, and the
  client has to send its token in a first message;
- *authenticating*: a token, from the handshake or from the first message, is being verified;
- *authenticated*: the token is valid, and the application has the socket;
- *reauthenticating*: the application still has the socket, under its old token, while a fresh token
  is being verified that the client sent on it;
- *closed*: refused, closed by somebody, or left by the client.

Events move a socket from state to state. Most happen outside: the handshake was read, the token
store answered, time passed, a node was ordered to drain. The caller reports each of them by calling
a method of `Lifecycle`, the object with the rules. Three rules keep it simple:

Rule 1. `TRANSITIONS` below is the only definition of the transitions. `Lifecycle` changes its state
in one private method, which looks the event up in the table. An event that the table does not list
for the current state is a bug in the library: it raises an error, and the state does not change.
The diagram in the documentation is generated from the table, the specification is compared with it,
and a test that generates random sequences of inputs checks that no other transition happens.

Rule 2. The application runs in *authenticated* and *reauthenticating*, and in no other state. So
the table alone shows that no application starts before its user is known: every way to these two
states leads through `ADMIT`. The one thing that the table cannot show is that a socket never
changes its user: `Lifecycle.admit` closes a socket whose fresh token belongs to somebody else.

Rule 3. *closed* has no way out. Inputs that come too late (a verdict on a token whose socket was
closed meanwhile, a frame that was already on its way) are normal, not bugs: they do nothing.

What is deliberately not in the table: whether anything was sent to the client or to the
application. A socket may be *authenticated* before its application accepts it, and *closed* while
its application has not got its disconnect yet. That is the ASGI exchange, another machine with a
table of its own: see `exchange`. One object drives both: `connection.Connection`.

Every state in which the library waits for the client or a store has a deadline:

| state | it waits for | at most |
|---|---|---|
| awaiting_credential | the client's first message | `Rules.auth_timeout`, then closed |
| authenticating | the token store | `Rules.verify_timeout`, then closed |
| reauthenticating | the token store | `Rules.verify_timeout`, then authenticated as before |
| authenticated | nobody | the token's expiry and `Rules.max_connection_age`, then closed |
"""

from enum import StrEnum

__all__ = ["TRANSITIONS", "Event", "State"]


class State(StrEnum):
    """The state of a socket."""

    CONNECTING = "connecting"
    AWAITING_CREDENTIAL = "awaiting_credential"
    AUTHENTICATING = "authenticating"
    AUTHENTICATED = "authenticated"
    REAUTHENTICATING = "reauthenticating"
    CLOSED = "closed"


class Event(StrEnum):
    """An event that moves a socket from one state to the next."""

    AWAIT = "no credential yet"
    PRESENT = "credential presented"
    ADMIT = "admitted"
    KEEP = "no verdict"
    END = "closed"


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.CONNECTING: {
        Event.AWAIT: State.AWAITING_CREDENTIAL,
        Event.PRESENT: State.AUTHENTICATING,
        Event.ADMIT: State.AUTHENTICATED,  # anonymous: there is no token to verify
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
        Event.KEEP: State.AUTHENTICATED,  # the token store is unavailable: the old token counts
        Event.END: State.CLOSED,
    },
    State.CLOSED: {},
}
