"""Each log line on the page is what a server writes when its mistake is made."""

import contextlib
import re
import sqlite3
import time

import jwt
import pytest

from tests.deploy.incident import eventually
from tests.docs.browser import Admin
from tests.docs.hello_site import hello_site, token_of_ada
from tests.docs.pages import read
from tests.docs.project import outcome

pytestmark = pytest.mark.slow
PAGE = "docs/how-to/troubleshooting.md"
OFFERED = ["token-auth.v1"]
WRONG_PATH = "No route found for path 'wrong/'"
KEY = "of no worth: for one test, and long enough"
# The same site three times: as README has it, with JWTs, and open to all hosts.
SETTINGS = f"""
import os
# No client is too slow, but where the mistake is to be silent.
CHANNELS_TOKEN_AUTH["AUTH_TIMEOUT"] = 1 if os.environ.get("SITE") == "open" else 600
if os.environ.get("SITE") == "jwt":
    jwt = {{"key": "{KEY}", "algorithms": ["HS256"], "audience": "api"}}
    CHANNELS_TOKEN_AUTH |= {{
        "BACKENDS": [{{"BACKEND": "channels_token_auth.backends.jwt.JWTBackend", "OPTIONS": jwt}}],
        "ALLOWED_ORIGINS": ["https://example.com"],
        "SCOPES": ["chat"],
    }}
if os.environ.get("SITE") == "open":
    ALLOWED_HOSTS = ["*"]
"""


def bearer(token):
    return {"subprotocols": [*OFFERED, f"bearer.{token}"]}


def mistakes_of_readme(base, token):
    url, page = f"ws://{base}/hello/", {"origin": f"http://{base}"}
    assert outcome(f"ws://{base}/wrong/", **bearer(token), **page) == [4500]
    assert outcome(f"{url}?token={token}", then="hello", **page) == [4401]
    outcome(f"{url}?token={token}", subprotocols=OFFERED, wait=0.1, **page)  # it leaves
    assert outcome(f"{url}?ticket=unknown", **page) == [4401]
    for wrong in ("wrong", "0" * 40):
        assert outcome(url, **bearer(wrong), **page) == [4401]
    two = [*OFFERED, f"bearer.{token}", "bearer.another"]
    assert outcome(url, subprotocols=two, **page) == [4400]
    assert outcome(url, origin="http://elsewhere.example") == [403]
    answer = Admin(base).session.post(f"http://{base}/auth/ticket/", timeout=60)
    assert answer.status_code == 403


def mistakes_with_jwts(base):
    url, page = f"ws://{base}/hello/", {"origin": "https://example.com"}
    right = {"sub": "1", "aud": "api", "exp": time.time() + 600}
    late = {"nbf": time.time() + 300}
    for wrong, code in (({"aud": "other"}, 4401), (late, 4401), ({}, 4403)):
        token = jwt.encode({**right, **wrong}, KEY)
        assert outcome(url, **bearer(token), **page) == [code]
    assert outcome(url, origin="http://elsewhere.example") == [403]


def mistakes_open_to_all(base, token, database):
    url, page = f"ws://{base}/hello/", {"origin": f"http://{base}"}
    assert outcome(url, origin="http://elsewhere.example") == [403]
    assert outcome(f"{url}?token={token}", subprotocols=OFFERED, **page) == [4408]
    with contextlib.closing(sqlite3.connect(database)) as tables:
        tables.execute("DROP TABLE authtoken_token")
    assert outcome(url, **bearer(token), **page) == [4503]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Make every mistake of the page, and return what the servers wrote."""
    project = hello_site(tmp_path_factory.mktemp("mistakes"))
    with (project.folder / "mysite" / "settings.py").open("a") as settings:
        settings.write(SETTINGS)
    token, written = token_of_ada(project), ""
    with project.serve() as base:
        mistakes_of_readme(base, token)
        # daphne logs it up to a second later.
        eventually(lambda: WRONG_PATH in project.log.read_text())
    written += project.log.read_text()
    with project.serve(SITE="jwt") as base:
        mistakes_with_jwts(base)
    written += project.log.read_text()
    with project.serve(SITE="open") as base:
        mistakes_open_to_all(base, token, project.folder / "db.sqlite3")
    return written + project.log.read_text()


def lines():
    """Return the log lines of the page."""
    return re.findall(r'^```output\n((?:WebSocket|POST) "[^\n]*)\n```$', read(PAGE), re.MULTILINE)


@pytest.mark.parametrize("line", lines(), ids=lambda line: line.partition(", Origin")[0])
def test_line_is_what_the_server_writes(log, line):
    wanted = re.sub(r'"/chat/"|"http://localhost:\d+"', '"…"', line)
    assert re.search(re.escape(wanted).replace("…", ".*?"), log)


def test_wrong_path_is_named_by_channels(log):
    assert WRONG_PATH in log


def test_table_that_is_missing_is_named_by_the_database(log):
    assert "no such table: authtoken_token" in log
