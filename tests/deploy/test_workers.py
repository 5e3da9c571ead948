"""A server with two worker processes: whichever answers, a scrape shows the sockets of both."""

import time
import urllib.request
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from tests.deploy.incident import URLS, eventually
from tests.docs.hello_site import hello_site, token_of_ada

pytestmark = pytest.mark.slow
SERVER = ["granian", "--interface", "asgi", "--workers", "2", "--workers-kill-timeout", "2"]
SERVER += ["--port", "{port}", "mysite.asgi:application"]
MAX_SOCKETS = 1_000


def scrape(base):
    with urllib.request.urlopen(f"http://{base}/auth/metrics/", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name.removeprefix("channels_token_auth_"): float(value) for name, value in pairs}


def workers(folder):
    """Return the process ids of the workers that had sockets."""
    return {each.stem.rpartition("_")[2] for each in folder.glob("gauge_livesum_*")}


def test_scrape_adds_up_the_workers(tmp_path):
    project, folder = hello_site(tmp_path, urls=URLS), tmp_path / "metrics"
    folder.mkdir()
    headers = {"Authorization": f"Token {token_of_ada(project)}"}
    with project.serve(*SERVER, PROMETHEUS_MULTIPROC_DIR=str(folder)) as base:
        with ExitStack() as clients:
            opened, url = 0, f"ws://{base}/hello/"
            while len(workers(folder)) < 2 or opened < 12:  # the second may still be starting
                assert opened < MAX_SOCKETS, "one worker took all sockets"
                if opened >= 12:
                    time.sleep(0.1)
                clients.enter_context(connect(url, additional_headers=headers, open_timeout=600))
                opened += 1

            def all_are_counted():
                # Each scrape may be answered by the other worker.
                return [scrape(base)["open_connections"] for _ in range(6)] == [opened] * 6

            eventually(all_are_counted)
        eventually(lambda: scrape(base)["open_connections"] == 0)
        accepted = 'handshakes_total{backend="drf",location="header",outcome="accepted"}'
        assert scrape(base)[accepted] == opened
