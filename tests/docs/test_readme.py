"""README's snippets make a working site: a new Django project, and nothing but what they say."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import snippets

VISIT = Path(__file__).with_name("visit.py")
ROUTING = """
import json
from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path

class Consumer(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        user, auth = self.scope["user"], self.scope["auth"]
        found = {name: getattr(auth, name) for name in type(auth.current).__slots__}
        found |= {"user": user.get_username(), "class": type(user).__name__}
        await self.send(json.dumps(found | {"scope": repr(self.scope)}, default=str))

websocket_urlpatterns = [path("chat/", Consumer.as_asgi())]
"""


@pytest.fixture(scope="module")
def key_and_visits(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    _run(site, "-m", "django", "startproject", "mysite", ".")
    files = ("settings", "asgi", "urls")
    for file, snippet in zip(files, snippets("README.md", "python"), strict=True):
        with (site / "mysite" / f"{file}.py").open("a") as written_by_django:
            written_by_django.write(snippet)
    (site / "chat").mkdir()
    (site / "chat" / "routing.py").write_text(ROUTING)
    (script,) = snippets("README.md", "js")
    (offer,) = re.findall(r'new WebSocket\("[^"]+", (\[.*?\])\)', script)
    answer = json.loads(_run(site, VISIT, offer))
    return answer["key"], answer["visits"]


@pytest.mark.parametrize(
    ("carriage", "location", "echoed"),
    [
        ("Token", "header", None),
        ("Bearer", "header", None),
        ("subprotocol", "subprotocol", "token-auth.v1"),
    ],
)
def test_consumer_finds_what_readme_says(key_and_visits, carriage, location, echoed):
    key, visits = key_and_visits
    accept, frame = visits[carriage]
    found = json.loads(frame["text"])
    assert accept["type"] == "websocket.accept"
    assert accept.get("subprotocol") == echoed
    assert key not in found.pop("scope")
    assert found.pop("issued_at")
    assert found == {
        "user": "alice",
        "class": "User",
        "backend": "drf",
        "token_id": hashlib.sha256(key.encode()).hexdigest()[:32],
        "location": location,
        "scopes": "frozenset()",
        "expires_at": None,
        "labels": "{}",
        "acr": None,
        "auth_time": None,
    }


def test_endpoints_stand_where_readme_says(key_and_visits):
    _, visits = key_and_visits
    assert visits["ticket"].keys() == {"ticket", "expires_in"}
    assert visits["check"].keys() == {"user_id", "expires_in"}


def test_visitor_with_a_wrong_token_is_sent_to_log_in(key_and_visits):
    _, visits = key_and_visits
    accept, close = visits["wrong"]
    assert accept["type"] == "websocket.accept"
    assert close == {"type": "websocket.close", "code": 4401, "reason": "token_invalid"}


def _run(site, *arguments):
    """What a Python prints that runs in the site's folder, as its developer's would."""
    environ = {"PYTHONPATH": str(site), "DJANGO_SETTINGS_MODULE": "mysite.settings"}
    command = [sys.executable, "-W", "error", *arguments]
    finished = subprocess.run(
        command, cwd=site, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout
