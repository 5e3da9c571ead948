"""Revoke tokens one after another, in every way, and give their people new ones."""

import asyncio
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

from .client import Client
from .ledger import Ledger
from .nodes import Site
from .people import Person

__all__ = ["Endings"]

CODES = {"revoke": 4410, "log_out": 4410, "delete": 4410, "deactivate": 4423}
"""The calls of `project/day_calls.py`, and the close codes of their sockets."""

PAUSE = 1.0
"""Seconds until a call that failed is made again, and until people log in again."""

NEGATIVE_CACHE = 2.0
"""Seconds for which a node may remember that a user was inactive."""


class Endings:
    """Revokes tokens until cancelled."""

    def __init__(self, site: Site, ledger: Ledger, clients: Sequence[Client]) -> None:
        self.site = site
        self.ledger = ledger
        self.clients = clients
        self._thread = ThreadPoolExecutor(1)  # one call at a time

    async def run(self) -> None:
        kinds = cycle(CODES)
        try:
            async with asyncio.TaskGroup() as running:
                while True:
                    await asyncio.sleep(self.ledger.plan.pause_between_revocations)
                    client = random.choice(self.clients)
                    if client.socket and client.person.has_token.is_set():
                        running.create_task(self._end(next(kinds), client))
        finally:
            self._thread.shutdown(wait=False)

    async def _end(self, what: str, client: Client) -> None:
        person = client.person
        if what == "delete" and person.is_stateless:  # a JWT has no row
            what = "revoke"
        one = client.token if what == "revoke" else None
        tokens = person.begin_to_end(CODES[what], one)
        await self._insist(what, one.text if one else person.number)
        self.ledger.counts[what] += 1
        for token in tokens:
            # SECURITY.md: a JWT of the second of `revoke_user` that no node had seen stays valid.
            if what != "log_out" or token.issued_at < int(token.ending_at):
                token.end()
        await self._let_in_again(what, person)

    async def _let_in_again(self, what: str, person: Person) -> None:
        if what == "deactivate":
            # First wait until all their sockets must be closed: later the same tokens are valid.
            await asyncio.sleep(self.ledger.plan.bound + PAUSE)
            while self.ledger.is_troubled(time.time()):
                await asyncio.sleep(PAUSE)
            for token in person.issued:
                token.revive(CODES[what])
            await self._insist("activate", person.number)
            await asyncio.sleep(NEGATIVE_CACHE)
            person.give(None if person.is_stateless else person.issued[-1].text)
            return
        await asyncio.sleep(PAUSE)
        key = None if person.is_stateless else person.next_key()
        if key:
            await self._insist("issue", [person.number, key])
        person.give(key)

    async def _insist(self, what: str, argument: object) -> None:
        """Make a call until it succeeds."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                await loop.run_in_executor(self._thread, self.site.ask, what, argument)
            except RuntimeError:
                self.ledger.counts[f"{what} failed"] += 1
                await asyncio.sleep(PAUSE)
            else:
                return
