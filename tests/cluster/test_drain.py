"""`dev.py cluster`: what it serves and leaves, and that nobody is lost in a rolling restart."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.cluster.crowd import Absence, Crowd
from tests.cluster.drain import report
from tests.services import free_port

DEADLINE = 600.0  # it ends what hangs only
CLUSTER = [sys.executable, "-m", "tests.cluster"]


def start(*arguments: str) -> subprocess.Popen[str]:
    environ = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*CLUSTER, *arguments], env=environ, **pipes)


# A measurement: how long the machine's handshakes take decides too. Whoever waits for a drained
# node, and what it answers, is decided by tests of the command, of the nodes and of the client.
@pytest.mark.measured
@pytest.mark.slow  # three nodes are drained and restarted, one after another
def test_nobody_is_away_for_longer_than_their_back_off_while_all_nodes_are_restarted() -> None:
    with start("--drain", "--clients=30", "--over=1") as process:
        output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, output
    assert re.findall(r"(\S+): drained and restarted", output) == [
        "daphne",
        "uvicorn-sansio",
        "granian",
    ]
    assert "Longer than its back-off and 5 s for the handshake: 0." in output


@pytest.mark.slow  # it starts three nodes, Redis, PostgreSQL and nginx
def test_example_is_served_through_nginx_until_it_is_stopped() -> None:
    with start(f"--port={free_port()}") as process:
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("Stop with"):
                break
        (url,) = re.findall(r"Open (\S+) ", printed)
        with urllib.request.urlopen(url, timeout=DEADLINE) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=DEADLINE)
    assert (process.returncode, rest) == (0, "\nStopped.\n"), printed
    for address in re.findall(r"http://127.0.0.1:\d+/", printed):
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(address, timeout=DEADLINE)


@pytest.mark.parametrize(("seconds", "code"), [(6.9, 0), (7.1, 1)])
def test_report_fails_where_somebody_was_away_too_long(seconds: float, code: int) -> None:
    crowd = Crowd(0, [], [Absence(seconds=seconds, window=2.0, waited=1.0)])
    assert report(crowd) == code


async def test_client_that_is_sent_away_comes_again() -> None:
    """A server that says 4503 to the first socket, and refuses the second."""
    answers = iter(["101 Welcome", "503 Not now", "101 Welcome"])
    gone = asyncio.Semaphore(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status = next(answers)
        writer.write(f"HTTP/1.1 {status}\r\n\r\n".encode())
        if not crowd.codes and status.startswith("101"):
            writer.write(b"\x88\x02" + (4503).to_bytes(2))
        await reader.read()
        writer.close()
        await writer.wait_closed()
        gone.release()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, asyncio.timeout(60):
        crowd = Crowd(server.sockets[0].getsockname()[1], ["0" * 40])
        running = asyncio.create_task(crowd.run())
        while not crowd.absences:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])
        for _ in range(3):
            await gone.acquire()
    assert crowd.codes == {"4503": 1, "503": 1}
    (absence,) = crowd.absences
    assert absence.window == 2 + 4
