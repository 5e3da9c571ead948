"""A server with several worker processes is drained: also those that never had a socket."""

import json
import time
import urllib.error
import urllib.request

import pytest
from websockets.sync.client import connect

from channels_token_auth.node.drain_requests import DELAY
from tests.deploy.incident import eventually
from tests.docs.hello_site import hello_site, token_of_ada, use_redis
from tests.services import redis

pytestmark = pytest.mark.slow
WORKERS = 3
SERVER = ["granian", "--interface", "asgi", "--workers", str(WORKERS)]
SERVER += ["--workers-kill-timeout", "2", "--port", "{port}", "mysite.asgi:application"]


def ready(base):
    """Return the status of whichever worker answers, and which of its nodes drain."""
    try:
        with urllib.request.urlopen(f"http://{base}/auth/ready/", timeout=60) as answer:
            return answer.status, json.load(answer)["draining"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["draining"]


def test_worker_that_never_had_a_socket_is_drained_too(tmp_path):
    project = hello_site(tmp_path)
    headers = {"Authorization": f"Token {token_of_ada(project)}"}
    with redis() as server:
        use_redis(project, server.url)
        with project.serve(*SERVER) as base:
            url = f"ws://{base}/hello/"
            eventually(lambda: project.log.read_text().count("Started worker-") == WORKERS)
            time.sleep(2 * DELAY)  # a younger process would take the drain for its predecessor's
            with connect(url, additional_headers=headers, open_timeout=600):
                project.manage("token_drain", "--over=0")  # one worker has a node
            names = set()

            def all_drain():
                answers = [ready(base) for _ in range(20)]
                names.update(name for _, draining in answers for name in draining)
                # The system chooses the worker of each request, not always all of them in 20.
                return {status for status, _ in answers} == {503} and len(names) == WORKERS

            eventually(all_drain)
            project.manage("token_drain", "--undo")
            eventually(lambda: {ready(base)[0] for _ in range(20)} == {200})
