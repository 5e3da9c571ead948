"""One socket: it drives a `Lifecycle`, which decides, over a `Transport`, which does it.

To the application it looks like the server; after a close it hears of that exactly once, and
nothing it sends any more is passed on.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import assert_never

from ..clock import clock, lifetime
from ..core import asgi_types
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.extraction import PROTOCOL, Handshake
from ..core.handshake.refusal import close_message
from ..core.identity import Identity, unavailable
from ..core.lifecycle import Abandon, Close, Lifecycle, Output, Send, State, Verify
from ..core.live_authentication import LiveAuthentication, refresh_user
from ..node.deadlines import deadlines
from ..node.member import Member
from ..node.node import here
from ..observability.error_log import log_error
from ..observability.events import (
    ConnectionAuthenticated,
    ConnectionClosed,
    ConnectionReauthenticated,
    HandshakeRefused,
    ReauthenticationRefused,
    emit,
)
from ..verification.route import Route
from .asgi_scope import anonymous_user, inner_scope
from .transport import Transport

__all__ = ["Connection", "live"]

MAX_RIVALS = 3
"""Other cookies with the credential's name that are verified at most: each costs a query."""

MAX_NOTICES = 8
"""Changes that wait for a busy consumer at most: of more, the oldest are dropped."""

live: set["Connection"] = set()
"""The sockets of this process, from their opening handshake until their application is done."""


class Connection(Member):
    """A socket, from its opening handshake on. Belongs to one event loop."""

    __slots__ = (
        "_accepted", "_application_accepted", "_connect", "_due", "_farewell", "_handshake",
        "_is_told", "_left", "_life", "_notices", "_presented", "_reason", "_transport",
        "_verifier", "node",
    )  # fmt: skip

    def __init__(
        self,
        route: Route,
        handshake: Handshake,
        scope: asgi_types.Scope,
        receive: asgi_types.Receive,
        send: asgi_types.Send,
    ) -> None:
        self.node = here()
        super().__init__(self.node.name, route, scope)
        self._handshake = handshake
        self._transport = Transport(receive, send)
        self._life = Lifecycle(route.rules)
        self._connect: asgi_types.Message | None = None
        self._notices: deque[asgi_types.Message] | None = None
        self._due: float | None = None
        self._accepted = False
        self._application_accepted = False
        self._farewell: asgi_types.Message | None = None
        self._is_told = False
        self._left: CloseReason | int | None = None
        self._verifier: asyncio.Task[None] | None = None
        self._reason: TokenAuthError | None = None
        self._presented: Credential | None = None

    async def open(self) -> asgi_types.Scope | None:
        """Let it in or refuse it. The application's scope, None where there is nothing for it."""
        self._connect = await self._transport.inbox.next(may_wake=False)
        if self._connect is None or self._connect["type"] != "websocket.connect":
            return None
        live.add(self)
        self.node.sockets.add(self)
        if not await self._enter():
            return None
        # While it lives, nothing here knows its token any more.
        self._handshake.forget_credential()
        return inner_scope(self._scope, self._handshake, user=self._user, auth=self._auth)

    def refuse(self, error: TokenAuthError) -> None:
        """The application leaves a refusal to us: of a method that requires scopes, perhaps."""
        self._act(self._life.end(error))

    async def finish(self) -> None:
        """The application is done. Ends what was started for the socket."""
        live.discard(self)
        self.node.leave(self)
        self._tell_end()
        self._life.leave()
        self._watch()
        self._abandon()
        await self._transport.finish()

    def close(self, code: CloseReason) -> None:
        """Shut the socket with our code. Returns at once; from now on nothing passes."""
        self._act(self._life.end(TokenAuthError(code)))

    # -- For `Deadlines`

    @property
    def next_tick(self) -> float | None:
        """When it wants to be looked at, on the steady clock."""
        return self._life.next_tick

    def tick(self) -> None:
        """Warn of the end, or end."""
        now = clock.steady()
        if warning := self._act(self._life.tick(now)):
            self._notice({"type": "auth.expiring", "expires_in": self._life.expires_in(now)})
            self._transport.say_later(warning)

    def jump(self, seconds: float) -> None:
        """The calendar went ahead by so much."""
        self._life.jump(seconds)

    # -- Before the application

    async def _enter(self) -> bool:
        try:
            await self._decide()
        except TokenAuthError as error:
            await self._refuse(error)
        except Exception as error:  # noqa: BLE001 - whatever a backend's user or a signal raises
            await self._refuse(_failed(error, self._handshake.credential))
        self._watch()
        return self._is_admitted

    async def _decide(self) -> None:
        route, handshake = self.route, self._handshake
        if self.node.drain.is_on:
            raise unavailable()
        if route.is_anonymous(handshake):
            self._life.admit(None, None, clock.steady())
            self._user = anonymous_user()
            self.node.let_in(self)
        elif route.awaits_first_message(handshake):
            await self._await_credential()
        else:
            self._life.present()
            mark = self.node.recent_revocations.mark
            identity = await route.authenticate(handshake)
            if handshake.rivals:
                await self._reject_rivals(identity)
            self._admit(identity, since=mark)

    async def _reject_rivals(self, identity: Identity) -> None:
        """Refuse a client whose other cookies of the same name belong to another user."""
        rivals = self._handshake.rivals
        if len(rivals) > MAX_RIVALS:
            raise TokenAuthError(CloseReason.MALFORMED)
        for rival in rivals:
            try:
                other = await self.route.verify(rival)
            except TokenAuthError as error:
                if error.code.is_transient:
                    raise
            else:
                if other.user_key != identity.user_key:
                    raise TokenAuthError(CloseReason.MALFORMED)

    async def _refuse(self, error: TokenAuthError) -> None:
        """Answer the opening handshake, unless the socket was closed meanwhile."""
        self._left = self._left or error.code
        self._reason = self._reason or error
        if self._farewell:
            return
        if self._accepted:
            await self._tell(self._life.end(error))
        else:
            self._life.leave()
            await self._transport.say(self.route.refusal(error, self._handshake, self._scope))

    @property
    def _is_admitted(self) -> bool:
        return self._life.state is State.AUTHENTICATED

    async def _await_credential(self) -> None:
        protocol = PROTOCOL if PROTOCOL in self._handshake.subprotocols else None
        self._accepted = True
        required = self._act(self._life.await_credential(clock.steady()))
        await self._transport.say([{"type": "websocket.accept", "subprotocol": protocol}])
        await self._transport.say([] if self._farewell else required)
        inbox = self._transport.inbox
        while self._life.state is State.AWAITING_CREDENTIAL:
            await self._tell(self._read(await inbox.next(may_wake=False)) or ())
        while self._life.state is State.AUTHENTICATING:
            # A frame that comes after the verdict is the application's: it stays in the inbox.
            if await inbox.has_event() and not self._is_admitted:
                await self._tell(self._read(inbox.pop()) or ())

    def _admit(self, identity: Identity, *, since: int) -> list[Output]:
        """Let it in, unless it has ended since that mark. Raises TokenAuthError."""
        if code := self.node.recent_revocations.since(since, identity):
            raise TokenAuthError(code)
        outputs = self._life.admit(identity.user_key, lifetime(identity), clock.steady())
        if self._life.state is not State.AUTHENTICATED:
            return outputs
        if self._auth is None:
            self._user, self._auth = identity.user, LiveAuthentication(identity.authentication)
            if ConnectionAuthenticated.is_wanted():
                emit(ConnectionAuthenticated(connection=self.facts()))
        else:
            refresh_user(self._user, identity.user)
            self._auth.replace(identity.authentication)
            self._notice({"type": "auth.reauthenticated"})
            if ConnectionReauthenticated.is_wanted():
                emit(ConnectionReauthenticated(connection=self.facts()))
        self._handle = identity.handle
        self._verified_at = identity.verified_at
        self.node.let_in(self)
        return outputs

    # -- The application's side

    async def receive(self) -> asgi_types.Message:
        """The application's `receive`. After a disconnect there is nothing to wait for."""
        if self._connect:
            event, self._connect = self._connect, None
            return event
        if self._is_told:
            raise RuntimeError("The application was told that its socket is closed, and receives.")
        while not self._farewell:
            if self._notices:
                return self._notices.popleft()
            may_wake = self._auth is not None and self._auth.is_subscribed
            received = await self._transport.inbox.next(may_wake=may_wake)
            outputs = self._read(received)
            if received and outputs is None:
                return received
            if outputs:
                await self._tell(outputs)
        await self.node.bulk_close.turn()
        self._is_told = True
        return self._farewell

    async def send(self, message: asgi_types.Message) -> None:
        """The application's `send`."""
        if self._farewell:
            return
        kind = message["type"]
        if kind == "websocket.accept":
            await self._accept(message)
        elif kind != "websocket.send" and self._accepted and not self._application_accepted:
            # It denies a client that was let in for its first message.
            self.close(CloseReason.FORBIDDEN)
        elif kind == "websocket.close" and self._application_accepted:
            await self._close_for_application(message)
        else:
            if kind == "websocket.close":
                self._life.leave()
            await self._transport.send(message)

    async def _close_for_application(self, message: asgi_types.Message) -> None:
        """As with a close of ours: while a receive is pending, not every server would send it."""
        self._life.leave()
        self._left = message.get("code") or 1000
        told = {"code": message.get("code") or 1000, "reason": message.get("reason") or ""}
        self._farewell = {"type": "websocket.disconnect", **told}
        await asyncio.wait([self._transport.shut([message])])

    async def _accept(self, message: asgi_types.Message) -> None:
        self._application_accepted = True
        if self._accepted:
            return
        self._accepted = True
        # The consumer's choice stands; else the protocol that the client offered us.
        if not message.get("subprotocol") and PROTOCOL in self._handshake.subprotocols:
            message = {**message, "subprotocol": PROTOCOL}
        speaks = message.get("subprotocol") == PROTOCOL
        ok = self._act(self._life.accept(speaks=True, now=clock.steady())) if speaks else []
        await self._transport.send(message)
        if ok and not self._farewell:
            await self._transport.say(ok)

    # -- The client's side

    def _read(self, event: asgi_types.Message | None) -> Sequence[Output] | None:
        """What the lifecycle says to an event, None where it is the application's."""
        if event is None or self._farewell:
            return ()
        text = event.get("text")
        if text is not None:
            return self._life.text(text, clock.steady()) if self._life.listens else None
        if event["type"] == "websocket.receive":
            return self._life.binary()
        self._life.leave()
        self._left = self._left or event.get("code")
        self._is_told = True
        return None

    async def _verify(self, secret: Secret) -> None:
        """Verify a token that came in a message, and act on the verdict."""
        credential = Credential(location=Location.FIRST_MESSAGE, secret=secret)
        mark = self.node.recent_revocations.mark
        try:
            outputs = self._admit(await self.route.verify(credential), since=mark)
        except TokenAuthError as error:
            self._note_refusal(error, credential)
            outputs = self._life.refuse(error, clock.steady())
        except Exception as error:  # noqa: BLE001 - else nobody would ever close the socket
            outputs = self._life.refuse(_failed(error, credential), clock.steady())
        await self._transport.say(self._act(outputs))
        if self._connect:
            # Still at the route: what waits there is not the application.
            self._transport.inbox.wake()

    def _tell_end(self) -> None:
        """Refused or closed, by our code or, where it is not ours, by a number."""
        left = self._left
        code = left if isinstance(left, CloseReason) else None
        if self._user is None:
            if code and HandshakeRefused.is_wanted():
                detail = self._explain(code)
                emit(HandshakeRefused(connection=self.facts(), code=code, detail=detail))
        elif ConnectionClosed.is_wanted():
            close_code = left.close_code if isinstance(left, CloseReason) else left
            emit(ConnectionClosed(connection=self.facts(), code=code, close_code=close_code))

    def _note_refusal(self, error: TokenAuthError, credential: Credential) -> None:
        """Remember why a first message was refused; emit why a reauthentication was."""
        if self._auth is None:
            self._reason, self._presented = error, credential
        elif ReauthenticationRefused.is_wanted():
            detail = self.route.explain(error, self._handshake, credential)
            emit(ReauthenticationRefused(connection=self.facts(), code=error.code, detail=detail))

    def _explain(self, code: CloseReason) -> Detail | None:
        """Return why the handshake was refused, for the site's developers."""
        known = self._reason if self._reason and self._reason.code is code else None
        return self.route.explain(known or TokenAuthError(code), self._handshake, self._presented)

    # -- Doing what the lifecycle says

    def _notice(self, event: asgi_types.Message) -> None:
        """Tell an application that asked for it, in its own order of events."""
        if self._auth and self._auth.is_subscribed:
            self._notices = self._notices or deque(maxlen=MAX_NOTICES)
            self._notices.append(event)
            self._transport.inbox.wake()

    async def _tell(self, outputs: Sequence[Output]) -> None:
        await self._transport.say(self._act(outputs))

    def _act(self, outputs: Sequence[Output]) -> list[asgi_types.Message]:
        """Do what is to be done; the messages that are left to be sent."""
        messages: list[asgi_types.Message] = []
        for output in outputs:
            match output:
                case Send(text):
                    messages.append({"type": "websocket.send", "text": text})
                case Verify(secret):
                    self._verifier = asyncio.create_task(self._verify(secret))
                case Abandon():
                    self._abandon()
                case Close(code):
                    self._shut(code, messages)
                    messages = []
                case _:
                    assert_never(output)
        if outputs:
            self._watch()
        return messages

    def _abandon(self) -> None:
        if self._verifier:
            self._verifier.cancel()

    def _watch(self) -> None:
        """Have `tick` called when it is time. Most tokens have no end: most sockets skip it."""
        due = self._life.next_tick
        if due != self._due:
            self._due = due
            deadlines().watch(self)

    def _shut(self, code: CloseReason, last_words: Sequence[asgi_types.Message]) -> None:
        self._left = code
        self._farewell = {**close_message(code), "type": "websocket.disconnect"}
        if self._accepted:
            self._transport.shut([*last_words, close_message(code)])
        else:
            error = TokenAuthError(code)
            self._transport.shut(self.route.refusal(error, self._handshake, self._scope))


def _failed(error: Exception, credential: Credential | None) -> TokenAuthError:
    """Log what nobody expected, once. It says nothing about the token."""
    log_error("A token could not be verified: answered unavailable.", error, about=[credential])
    return unavailable()
