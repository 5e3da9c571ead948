"""Test an application with a WebSocket client in memory that authenticates.

The client extends Channels' communicator. Unlike it, and as the ASGI specification requires of a
server, it sends the application a disconnect after a close.
"""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from channels.testing import WebsocketCommunicator
from django.core.exceptions import ImproperlyConfigured

from .. import conf
from ..core.asgi_types import Application, Message, Receive, Scope, Send
from ..core.close_codes import TABLE
from ..core.credentials import Location
from ..core.handshake.extraction import PROTOCOL
from ..core.handshake.presentation import present
from .commits import apublish_revocations
from .tokens import PATH, FakeTokenBackend

__all__ = ["TokenWebsocketCommunicator"]

Header = tuple[bytes, bytes]

CLOSE_CODES = frozenset(row.close_code for row in TABLE.values())
_KINDS = frozenset({"auth.required", "auth.ok", "auth.expiring", "auth.error", "auth.pong"})


class TokenWebsocketCommunicator(WebsocketCommunicator):  # type: ignore[misc] # it has no types
    """Channels' `WebsocketCommunicator`, with a credential.

    `user`: log this user in with a token of the fake backend: `token`, or else a new one. `token`:
    presented in `location`, a `Location` or its value; for "ticket", it is the ticket. `origin`:
    the value of the header Origin, which browsers send (RFC 6454, section 7). `subprotocols` and
    `headers`: as in Channels' class; what the credential needs is added. Raises ValueError for an
    unknown location, and ImproperlyConfigured for a user where the fake backend is not in BACKENDS.
    """

    auth_ok: dict[str, Any] | None = None
    """The last `auth.ok`."""

    close_code: int | None = None
    """The close code, None while the socket is open."""

    def __init__(
        self,
        application: Application,
        path: str,
        *,
        user: Any = None,
        token: str | None = None,
        location: str = "header",
        subprotocols: Iterable[str] = (),
        headers: Iterable[Header] = (),
        origin: str | None = None,
    ) -> None:
        # First, because Channels' `__del__` needs its attributes even if the rest of this raises.
        super().__init__(self._serve, path, [*headers], [*subprotocols])
        self._application = application
        self._location = Location(location)
        self._token = token if user is None else _issue(user, token)
        self._messages: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        offered = self.scope["subprotocols"]
        if self._location is Location.SUBPROTOCOL and PROTOCOL not in offered:
            offered.insert(0, PROTOCOL)
        if self._token is not None:
            present(self.scope, self._token, self._location, conf.configuration().policy)
        if origin is not None:
            self.scope["headers"].append((b"origin", origin.encode()))
        # Last, since `present` may have added an entry to the offer.
        if offered:
            value = ", ".join(offered).encode()
            self.scope["headers"].append((b"sec-websocket-protocol", value))

    async def connect(self, timeout: float = 1) -> tuple[bool, Any]:  # noqa: ASYNC109 - as Channels'
        """Return (True, the subprotocol) or (False, the close code), as Channels does.

        A refusal that accepts and then closes counts as False. On a socket with `auth.*` messages,
        wait for `auth.ok`; without a token, for `auth.required`.
        """
        accepted, answer = await super().connect(timeout)
        if answer == PROTOCOL or self._location is Location.FIRST_MESSAGE:
            await self._log_in(timeout)
        if self.close_code in CLOSE_CODES and not self.auth_ok:
            return False, self.close_code
        return accepted, answer

    async def reauthenticate(self, token: str, timeout: float = 1) -> dict[str, Any]:  # noqa: ASYNC109 - as Channels'
        """Send a new token on the open socket. Return the answer: `auth.ok` or `auth.error`."""
        await self.send_json_to({"type": "auth", "token": token})
        while True:
            message = await self.receive_auth_from(timeout)
            if message["type"] in ("auth.ok", "auth.error"):
                return message

    async def receive_auth_from(self, timeout: float = 1) -> dict[str, Any]:  # noqa: ASYNC109 - as Channels'
        """Return the next `auth.*` message. The methods of Channels skip these."""
        message = await self._next(timeout)
        if message is None:
            raise AssertionError(f"No auth.* message, but the close code {self.close_code}.")
        return message

    async def wait(self, timeout: float = 1) -> None:  # noqa: ASYNC109 - as Channels'
        """Wait for the application to end, after publishing what the test has revoked."""
        await apublish_revocations()
        await super().wait(timeout)

    async def receive_output(self, timeout: float = 1) -> Message:  # noqa: ASYNC109 - as Channels'
        """Receive as in Channels, after publishing what the test has revoked."""
        await apublish_revocations()
        message: Message = await super().receive_output(timeout)
        return message

    async def receive_nothing(self, timeout: float = 0.1, interval: float = 0.01) -> bool:  # noqa: ASYNC109 - as Channels'
        """Receive as in Channels, after publishing what the test has revoked."""
        await apublish_revocations()
        return bool(await super().receive_nothing(timeout, interval))

    async def _log_in(self, seconds: float) -> None:
        while message := await self._next(seconds):
            if message["type"] == "auth.ok":
                return
            if message["type"] == "auth.required" and self._token is None:
                self._messages.put_nowait(message)  # for the test to answer
                return
            if message["type"] == "auth.required":
                await self.send_json_to({"type": "auth", "token": self._token})

    async def _next(self, seconds: float) -> dict[str, Any] | None:
        """Return the next `auth.*` message; None if the socket has ended, also for later calls."""
        await apublish_revocations()
        async with asyncio.timeout(seconds):
            message = await self._messages.get()
        if message is None:
            self._messages.put_nowait(None)  # for later calls, which would wait for ever
        return message

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, and pass its messages to Channels' class, except `auth.*`."""

        async def sending(message: Message) -> None:
            if not self._keep(message):
                await send(message)

        try:
            await self._application(scope, receive, sending)
        finally:
            # The application may have returned, or failed, without a close: end the test's wait.
            self._messages.put_nowait(None)

    def _keep(self, message: Message) -> bool:
        """Keep an `auth.*` message or a close code. Return True if Channels must not see it."""
        if message["type"] == "websocket.close":
            self.close_code = message.get("code", 1000)
            self._messages.put_nowait(None)
            self.input_queue.put_nowait({"type": "websocket.disconnect", "code": self.close_code})
        # Not only after `auth.required`: a reauthentication is answered at any time.
        auth = _read(message.get("text"))
        if auth is None:
            return False
        self._messages.put_nowait(auth)
        if auth["type"] == "auth.ok":
            self.auth_ok = auth
        return True


def _issue(user: Any, token: str | None) -> str:
    if PATH not in {spec.path for spec in conf.configuration().backends}:
        sentence = f"`user` needs a fake token: log in within `fake_tokens()`, or name {PATH} in"
        raise ImproperlyConfigured(f"{sentence} CHANNELS_TOKEN_AUTH['BACKENDS'] of the tests.")
    return FakeTokenBackend.tokens.issue(user, token=token)


def _read(text: Any) -> dict[str, Any] | None:
    """Return the `auth.*` message in a frame; None if the frame is the application's."""
    # Most frames are the application's: do not parse them.
    if '"auth.' not in (text or ""):
        return None
    try:
        message = json.loads(text)
    except ValueError:
        return None
    is_auth = isinstance(message, dict) and message.get("type") in _KINDS
    return message if is_auth else None
