"""Run a day, and report its faults."""

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from statistics import quantiles

from benchmarks.bench import Bench
from benchmarks.run import Panel

from .client import Client
from .endings import Endings
from .holdings import MEGABYTE, Holdings
from .ledger import Ledger
from .nodes import Node, Site
from .people import Person
from .plan import Plan

__all__ = ["Day", "run"]

QUICK_MINUTES, QUICK_SOCKETS = 0.6, 120
WARM_UP = 60
"""Clients that connect and leave before the first look at the nodes."""

EACH_SPEAKS = 10.0
"""Seconds between two messages of a client."""

ARRIVALS = 200.0
"""Clients a second that connect at the beginning."""

CLIENTS_OF_A_PERSON = 2
SHOWN = 5
"""The most faults of each kind that are printed."""


def run(bench: Bench) -> Iterator[Panel]:
    """Run one day. Its panel counts faults, and compares with nothing."""
    minutes = bench.minutes or (QUICK_MINUTES if bench.quick else 30.0)
    sockets = bench.sockets or (QUICK_SOCKETS if bench.quick else 10_000)
    day = Day(Plan(seconds=60 * minutes, sockets=sockets), bench)
    asyncio.run(day.run())
    yield from day.panels()


class Day:
    """The clients, the nodes, and the faults that affect them."""

    def __init__(self, plan: Plan, bench: Bench) -> None:
        self.plan = plan
        self.bench = bench
        self.site = Site(plan)
        self.ledger = Ledger(plan, self.site.outages)
        self.clients: list[Client] = []
        self.lost: list[str] = []
        self.leaks: list[str] = []
        self.holdings = Holdings([])

    def choose(self) -> Node | None:
        """Return the node with the fewest clients, of those that take any."""
        ready = [node for node in self.site.nodes if node.is_open]
        return min(ready, key=lambda node: node.clients + random.random(), default=None)

    @property
    def present(self) -> int:
        """The number of connected clients."""
        return sum(client.socket is not None for client in self.clients)

    async def run(self) -> None:
        """Run the whole day. Stops all processes, even after an error."""
        try:
            await self.site.start()
            self.holdings = Holdings(self.site.nodes[:2])
            self.clients = self._make_clients()
            async with self._living(self.clients[:WARM_UP]):
                await self._wait_until_present(WARM_UP)
            await asyncio.sleep(2)
            await self.holdings.note_idle()
            async with self._living(self.clients):
                await self._wait_until_present(len(self.clients))
                self._say("all are connected")
                await self._pass()
                await self._settle()
            self.leaks = await self.holdings.leaks()
        finally:
            await self.site.stop()

    def _make_clients(self) -> list[Client]:
        people = [
            Person(number, is_stateless=number % 2 == 1, lifetime=self.plan.lifetime)
            for number in range(-(-self.plan.sockets // CLIENTS_OF_A_PERSON))
        ]
        return [
            Client(self, people[number // CLIENTS_OF_A_PERSON], number // 3)
            for number in range(self.plan.sockets)
        ]

    @asynccontextmanager
    async def _living(self, clients: list[Client]):
        """Connect the clients, and have them send messages; disconnect them after the block."""
        # An error of a client is one of the benchmark's: the group ends the day with it.
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.live(number / ARRIVALS))
                for number, client in enumerate(clients)
            ]
            tasks.append(group.create_task(self._have_them_speak(clients)))
            yield
            for task in tasks:
                task.cancel()

    async def _have_them_speak(self, clients: list[Client]) -> None:
        while True:
            began = time.monotonic()
            for number, client in enumerate(clients, 1):
                client.speak()
                client.audit()
                ahead = EACH_SPEAKS * number / len(clients) - (time.monotonic() - began)
                if ahead > 0.01:
                    await asyncio.sleep(ahead)

    async def _wait_until_present(self, count: int, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + self.plan.sockets / ARRIVALS + seconds
        while self.present < count:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{self.present} of {count} clients are connected: {dict(self.ledger.counts)}"
                )
            await asyncio.sleep(0.1)

    async def _pass(self) -> None:
        """Let the time pass, with revocations and faults by the timetable."""
        endings = asyncio.create_task(Endings(self.site, self.ledger, self.clients).run())
        sampling = asyncio.create_task(self._take_samples())
        began, victims = time.monotonic(), 0
        for at, what in self.plan.mishaps():
            await asyncio.sleep(max(0.0, began + at - time.monotonic()))
            self._say(f"{what}: {self.present} are connected")
            if what in ("redis", "postgresql"):
                await self.site.interrupt(what)
            else:
                victims += 1
                await (self.site.kill if what == "kill" else self.site.drain)(2 + victims % 2)
        await asyncio.sleep(max(0.0, began + self.plan.seconds - time.monotonic()))
        for task in (endings, sampling):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _take_samples(self) -> None:
        while True:
            await asyncio.sleep(self.plan.minute)
            await self.holdings.sample()

    async def _settle(self) -> None:
        """Wait until every client whose person has a token is connected, or the time is over."""
        deadline = time.monotonic() + 2 * self.plan.bound + 10
        while time.monotonic() < deadline and self._missing():
            await asyncio.sleep(0.2)
        self.lost = [
            f"{client.habit.name} of person {client.person.number}" for client in self._missing()
        ]
        self._say(f"in the end {self.present} are connected")

    def _missing(self) -> list[Client]:
        return [
            client
            for client in self.clients
            if client.socket is None and client.person.has_token.is_set()
        ]

    def _say(self, line: str) -> None:
        self.bench.say(f"day: {line}")

    # -- The verdict

    def panels(self) -> Iterator[Panel]:
        """Yield the verdict, and the numbers behind it."""
        found = {
            "wrongly connected": self.ledger.wrongly_connected,
            "wrongly closed": self.ledger.wrongly_closed,
            "lost": self.lost,
            "leaks": self.leaks,
        }
        yield Panel(
            title=f"{self.plan.sockets:,} sockets for {self.plan.seconds / 60:g} minutes",
            unit="faults",
            rounds=[{name: len(faults) for name, faults in found.items()}],
            note="All is well." if not any(found.values()) else "See above.",
            faults=[
                f"{name}: {fault}" for name, faults in found.items() for fault in faults[:SHOWN]
            ],
        )
        counts = self.ledger.counts
        yield Panel(title="What happened", unit="times", rounds=[dict(sorted(counts.items()))])
        if len(self.ledger.delays) > 1:
            hundredths = quantiles(self.ledger.delays, n=100, method="inclusive")
            yield Panel(
                title="From the return of a call that ends a token to the close, without an outage",
                unit="s",
                rounds=[{"p50": hundredths[49], "p95": hundredths[94], "p99": hundredths[98]}],
                note="A row that a foreign program deletes is found by the next sweep.",
            )
        if self.holdings.samples:
            yield Panel(
                title="Memory of the nodes that served all day",
                unit="MB, most",
                rounds=[
                    {
                        name: max(each.rss for each in samples) / MEGABYTE
                        for name, samples in self.holdings.samples.items()
                    }
                ],
                facts={
                    name: {
                        "by the minute": ", ".join(f"{s.rss / MEGABYTE:.0f}" for s in samples),
                        "clients": ", ".join(str(s.clients) for s in samples),
                    }
                    for name, samples in self.holdings.samples.items()
                },
            )
