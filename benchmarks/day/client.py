"""A client of the day: it connects, talks, renews its token, and comes back whenever it is closed.

It follows spec/PROTOCOL.md, with shorter waits. After a revocation it presents the revoked token
once more, which must be refused.
"""

import asyncio
import json
import random
import time
from enum import Enum, auto
from math import inf
from typing import Protocol

from .ledger import CUT_OFF, Ledger, Token
from .nodes import Node
from .people import Person
from .sockets import RefusedError, Socket, fetch, open_socket

__all__ = ["Client", "Habit", "World"]

LONGEST_WAIT = 8.0
SILENCE = 20.0
"""Seconds within which an answer must arrive."""

OFFER = "Sec-WebSocket-Protocol: token-auth.v1\r\n"
BEARER = "Authorization: Bearer {}\r\n"
DENIED = frozenset({401, 4401, 4410, 4419, 4423})


class Habit(Enum):
    """The way in which a client presents its token."""

    HEADER = auto()
    TICKET = auto()
    MESSAGES = auto()
    RENEWING = auto()
    EXPIRING = auto()
    FIRST_MESSAGE = auto()


AT_CHANNELS_CONSUMER = (Habit.TICKET, Habit.MESSAGES, Habit.FIRST_MESSAGE)
"""Habits of clients of Channels' consumer. The others use the library's own."""

PLAIN = (Habit.HEADER, Habit.TICKET, Habit.EXPIRING)
"""Habits whose clients get no `auth.*` messages."""

WITH_ROWS = (Habit.HEADER, Habit.TICKET, Habit.MESSAGES)
STATELESS = (Habit.RENEWING, Habit.EXPIRING, Habit.FIRST_MESSAGE)


class World(Protocol):
    """The surroundings of a client: the ledger, and the nodes that it may choose."""

    ledger: Ledger

    def choose(self) -> Node | None:
        """Return the node for the next handshake, as a balancer does."""


class Client:
    """A client of one person."""

    def __init__(self, world: World, person: Person, number: int) -> None:
        self.world = world
        self.person = person
        habits = STATELESS if person.is_stateless else WITH_ROWS
        self.habit = habits[number % len(habits)]
        self.socket: Socket | None = None
        """Its socket, from the admission until the end."""
        self.node: Node | None = None
        self.tokens: list[Token] = []
        """The token of its socket, and one that it has sent to renew it."""
        self._asked_at: float | None = None
        self._attempts = 0
        self._ticket_at = inf
        """When it fetched the ticket that it presents."""

    @property
    def token(self) -> Token:
        return self.tokens[0]

    async def live(self, delay: float) -> None:
        """Connect, and reconnect after each close, until cancelled."""
        await asyncio.sleep(delay)
        self.tokens = [await self.person.token()]
        while True:
            code = await self._visit()
            if code == 4419 or self.token.expires_at <= time.time():
                self.tokens = [await self.person.token()]
            elif code in DENIED:
                await self._show_it_again()
                self.tokens = [await self.person.token()]
            await self._back_off(code)

    def speak(self) -> None:
        """Send a message, if the last one was answered."""
        if self.socket and self.node:
            now = time.time()
            if self._asked_at is None:
                self._asked_at = now
                self.socket.send('{"hello":"world"}')
            elif now - self._asked_at > SILENCE:
                self.world.ledger.silent(self.node)
                self.socket.drop()

    def audit(self) -> None:
        """Have the ledger check that it may be connected; else drop the socket."""
        if not (self.socket and self.node):
            return
        if not self.world.ledger.open(self.tokens, self.node, time.time()):
            self.socket.drop()

    async def _show_it_again(self) -> None:
        await asyncio.sleep(random.uniform(0, 2))
        if self.token.ending_at < time.time():
            await self._visit()

    async def _back_off(self, code: int) -> None:
        if code == 4419 and self._attempts == 0:
            return  # with a fresh token, at once
        self._attempts += 1
        await asyncio.sleep(random.uniform(0, min(LONGEST_WAIT, 2.0**self._attempts)))

    async def _visit(self) -> int:
        """Stay connected until the socket ends. Return its code, or that of the refusal."""
        node = self.world.choose()
        if node is None:
            return 0
        node.clients += 1
        ledger, token = self.world.ledger, self.token
        try:
            socket = await self._open(node, token)
        except RefusedError as refused:
            node.clients -= 1
            ledger.refused(token, refused.status, node, time.time(), ticket_at=self._ticket_at)
            return refused.status
        try:
            ledger.admitted(token, node, time.time())
            self.socket, self.node, self._attempts = socket, node, 0
            await self._stay(socket)
        finally:
            node.clients -= 1
            self.socket = self.node = self._asked_at = None
            socket.end()
        if socket.is_dropped:  # by the client: see `audit`
            return 0
        code = socket.code or 1006
        ledger.closed(self.tokens, code, node, time.time())
        del self.tokens[:-1]
        return code

    async def _open(self, node: Node, token: Token) -> Socket:
        target = "/stock" if self.habit in AT_CHANNELS_CONSUMER else "/"
        headers = BEARER.format(token.text)
        match self.habit:
            case Habit.TICKET:
                self._ticket_at = inf
                answer = await fetch(node.port, "/auth/ticket/", headers)
                self._ticket_at = time.time()
                target, headers = f"{target}?ticket={json.loads(answer)['ticket']}", ""
            case Habit.MESSAGES | Habit.RENEWING:
                headers += OFFER
            case Habit.FIRST_MESSAGE:
                headers = OFFER
        socket = await open_socket(node.port, target, headers)
        if self.habit not in PLAIN:
            await self._be_welcomed(socket, token)
        return socket

    async def _be_welcomed(self, socket: Socket, token: Token) -> None:
        """Wait for `auth.ok`. Raises `RefusedError` if a close arrives instead."""
        while True:
            text = await socket.read()
            if text is None:
                socket.end()
                raise RefusedError(0 if socket.code in CUT_OFF else socket.code or 0)
            message = json.loads(text)
            if message["type"] == "auth.required":
                socket.send(json.dumps({"type": "auth", "token": token.text}))
            elif message["type"] == "auth.ok":
                return

    async def _stay(self, socket: Socket) -> None:
        while (text := await socket.read()) is not None:
            message = json.loads(text)
            match message.get("type"):
                case "auth.expiring" if self.habit is not Habit.EXPIRING:
                    await self._renew(socket)
                case "auth.ok":
                    del self.tokens[:-1]
                    self.world.ledger.counts["reauthenticated"] += 1
                case "auth.error":
                    self.world.ledger.counts[f"auth.error {message['code']}"] += 1
                    if message["code"] in ("unavailable", "rate_limited"):
                        del self.tokens[1:]  # it stays open with its old token
                case "auth.expiring":
                    pass
                case _:
                    self._asked_at = None

    async def _renew(self, socket: Socket) -> None:
        if len(self.tokens) == 1 and self.person.has_token.is_set():
            self.tokens.append(await self.person.token())
            socket.send(json.dumps({"type": "auth", "token": self.tokens[-1].text}))
