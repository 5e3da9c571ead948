"""A server with several worker processes is drained: also those that never had a socket."""

import json
import urllib.error
import urllib.request

import pytest
from websockets.sync.client import connect

from tests.docs.project import Project, section
from tests.metrics.incident import eventually
from tests.services import redis

pytestmark = pytest.mark.slow
WORKERS = 3
SERVER = ["granian", "--interface", "asgi", "--workers", str(WORKERS)]
SERVER += ["--workers-kill-timeout", "2", "--port", "{port}", "mysite.asgi:application"]
URLS = """
from django.urls import include

urlpatterns += [path("auth/", include("channels_token_auth.urls"))]
"""
LAYER = """
CHANNEL_LAYERS = {{
    "default": {{
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {{"hosts": ["{url}"]}},
    }}
}}
"""


def ready(base):
    """Return the status of whichever worker answers, and which of its nodes drain."""
    try:
        with urllib.request.urlopen(f"http://{base}/auth/ready/", timeout=10) as answer:
            return answer.status, json.load(answer)["draining"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["draining"]


def test_worker_that_never_had_a_socket_is_drained_too(tmp_path):
    project = Project(tmp_path)
    project.write(section("README.md", '## Five steps to "hello ada"'))
    with (project.folder / "mysite" / "urls.py").open("a") as urls:
        urls.write(URLS)
    project.manage("migrate")
    arguments = ("--noinput", "--username=ada", "--email=ada@example.com")
    project.manage("createsuperuser", *arguments, DJANGO_SUPERUSER_PASSWORD="p")
    headers = {"Authorization": f"Token {project.manage('drf_create_token', 'ada').split()[2]}"}
    with redis() as server, (project.folder / "mysite" / "settings.py").open("a") as settings:
        settings.write(LAYER.format(url=server.url))
        settings.flush()
        with project.serve(*SERVER) as base:
            with connect(f"ws://{base}/hello/", additional_headers=headers):
                project.manage("token_drain", "--over=0")  # one worker has a node
            names = set()

            def all_drain():
                answers = [ready(base) for _ in range(20)]
                names.update(name for _, draining in answers for name in draining)
                return {status for status, _ in answers} == {503}

            eventually(all_drain)
            assert len(names) == WORKERS, "20 requests did not reach every worker"
            project.manage("token_drain", "--undo")
            eventually(lambda: {ready(base)[0] for _ in range(20)} == {200})
