"""`dev.py cluster --drain`: each node in turn is emptied and restarted, under a crowd."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.crowd import Absence, Crowd
from tests.cluster.site import Site, is_ready, wait_until_it_serves

__all__ = ["report", "roll"]

HANDSHAKE = 5.0
"""Seconds that a handshake may take on top of a back-off, on a machine that is busy."""

LOST = 180.0
"""Seconds after which nobody comes back any more: the longest window, and some."""

PEOPLE = """
from django.contrib.auth import get_user_model
from rest_framework.authtoken.models import Token
users = get_user_model().objects.bulk_create(
    get_user_model()(username=f"crowd{{n}}") for n in range({count}))
Token.objects.bulk_create(Token(user=user, key=f"{{n:040x}}") for n, user in enumerate(users))
"""
"""For `manage.py shell`: users with a token each."""


def roll(site: Site, clients: int, over: float) -> int:
    """Drain and restart each node. The exit code: 1 where somebody was away too long."""
    site.manage("shell", "-v0", "-c", PEOPLE.format(count=clients))
    crowd = Crowd(site.proxy.port, [f"{number:040x}" for number in range(clients)])
    asyncio.run(_roll(site, crowd, over))
    return report(crowd)


async def _roll(site: Site, crowd: Crowd, over: float) -> None:
    running = asyncio.create_task(crowd.run())
    await _complete(crowd, running)
    print(f"{crowd.present} clients are connected.", flush=True)
    for kind in list(site.nodes):
        with _timed() as seconds:
            await asyncio.to_thread(_restart, site, kind, over)
            await _complete(crowd, running)
        print(f"{kind}: drained and restarted in {seconds[0]:.1f} s, all are back.", flush=True)
    running.cancel()
    await asyncio.wait([running])


async def _complete(crowd: Crowd, running: "asyncio.Task[None]") -> None:
    """Until nobody is without a socket; a crowd that fails says why. Raises where some are lost."""
    present = asyncio.create_task(crowd.all_present())
    waited_for = [present, running]
    await asyncio.wait(waited_for, timeout=LOST, return_when=asyncio.FIRST_COMPLETED)
    if present.cancel():
        if running.done():
            running.result()
        raise RuntimeError(f"Clients that are lost: {len(crowd.tokens) - crowd.present}")


def _restart(site: Site, kind: str, over: float) -> None:
    """Drain and restart one node, as a deploy script does."""
    site.balance(but=kind)
    node = site.nodes[kind]
    site.manage("token_drain", f"--node={site.name(kind)}", f"--over={over}")
    if is_ready(node):
        raise RuntimeError(f"{kind} was drained, and is ready for new sockets.")
    node.stop()
    site.start(kind)
    wait_until_it_serves(site.nodes[kind])
    site.balance()


def report(crowd: Crowd) -> int:
    """Print who was away for how long. 1 where anybody was for longer than the back-off allows."""
    absences = sorted(crowd.absences, key=lambda each: each.seconds)
    ended = ", ".join(f"{code}: {count}" for code, count in sorted(crowd.codes.items()))
    print(f"Sockets and attempts ended with {ended or 'nothing'}.")
    if not absences:
        print("Nobody was ever without a socket.")
        return 0
    longest, late = absences[-1], [each for each in absences if _is_late(each)]
    handshake = max(each.seconds - each.waited for each in absences)
    print(
        f"{len(absences)} times a client was without a socket: median"
        f" {absences[len(absences) // 2].seconds:.2f} s, longest {longest.seconds:.2f} s, of which"
        f" {longest.waited:.2f} s it waited by itself, in a window of {longest.window:.0f} s.\n"
        f"The slowest handshake after a wait took {handshake:.2f} s.\n"
        f"Longer than its back-off and {HANDSHAKE:.0f} s for the handshake: {len(late)}."
    )
    return int(bool(late))


def _is_late(absence: Absence) -> bool:
    return absence.seconds > absence.window + HANDSHAKE


@contextmanager
def _timed() -> Iterator[list[float]]:
    began, seconds = time.monotonic(), [0.0]
    yield seconds
    seconds[0] = time.monotonic() - began
