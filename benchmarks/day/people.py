"""The people of the day: each has one kind of token, and two clients that show it."""

import asyncio
import time
from hashlib import sha1

from benchmarks.people import key, short_lived_token

from .ledger import Token

__all__ = ["Person"]

KEPT = 60.0
"""Seconds for which a token is kept after its expiry."""


class Person:
    """One person. `has_token` is set, except between the end of their tokens and the next token."""

    def __init__(self, number: int, *, is_stateless: bool, lifetime: float) -> None:
        self.number = number
        self.is_stateless = is_stateless
        self.lifetime = lifetime
        self.issued: list[Token] = []
        self.has_token = asyncio.Event()
        self.has_token.set()
        self._reissues = 0
        if not is_stateless:
            self._keep(Token(text=key(number), is_stateless=False, issued_at=time.time()))

    async def token(self) -> Token:
        """Return a token that the person believes valid, as soon as they have one."""
        await self.has_token.wait()
        return self._sign() if self.is_stateless else self.issued[-1]

    def begin_to_end(self, code: int, token: Token | None = None) -> list[Token]:
        """Record that a call begins to revoke one token, or all. They get no other meanwhile."""
        self.has_token.clear()
        ending = [token] if token else list(self.issued)
        for each in ending:
            each.begin_to_end(code)
        return ending

    def next_key(self) -> str:
        """Return the key of a new row."""
        self._reissues += 1
        return sha1(f"{self.number} {self._reissues}".encode(), usedforsecurity=False).hexdigest()

    def give(self, text: str | None) -> None:
        """Give them another token: the key of a row, or None if they have JWTs."""
        if text is not None:
            self._keep(Token(text=text, is_stateless=False, issued_at=time.time()))
        self.has_token.set()

    def _sign(self) -> Token:
        text, issued_at, expires_at = short_lived_token(self.number, self.lifetime)
        return self._keep(
            Token(text=text, is_stateless=True, issued_at=issued_at, expires_at=expires_at)
        )

    def _keep(self, token: Token) -> Token:
        oldest = time.time() - KEPT
        self.issued = [each for each in self.issued if each.expires_at > oldest]
        self.issued.append(token)
        return token
