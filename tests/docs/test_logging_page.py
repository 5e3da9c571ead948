"""The page on logging: its settings write what it says."""

import json
import re
import subprocess
from collections import defaultdict

import pytest

from channels_token_auth.observability import owasp
from tests.docs.pages import read, snippets
from tests.docs.project import Project, outcome, section

pytestmark = pytest.mark.slow
PAGE = "docs/how-to/logging.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("logging"))
    project.write(section("README.md", '## Five steps to "hello ada"'))
    project.manage("migrate")
    return project


@pytest.mark.asvs("16.2.4")
def test_refusal_is_one_line_of_json(project):
    project.write(read(PAGE))
    with project.serve() as base:
        headers = {"X-Request-ID": "0f1e2d3c"}
        offered = ["token-auth.v1", "bearer.wrong"]
        outcome(f"ws://{base}/hello/", subprotocols=offered, additional_headers=headers)
    (line,) = (project.folder / "audit.log").read_text().splitlines()
    record = json.loads(line)
    assert (record["event"], record["code"]) == ("connection_refused", "token_invalid")
    assert record["request_id"] == "0f1e2d3c"
    assert "wrong" not in line


def test_settings_for_development_show_each_event(project):
    (settings,) = (
        block for block in section(PAGE, "## In development").split("```") if "LOGGING =" in block
    )
    with (project.folder / "mysite" / "settings.py").open("a") as file:
        file.write(settings.removeprefix("python"))
    with project.serve() as base:
        outcome(f"ws://{base}/hello/", subprotocols=["token-auth.v1", "bearer.wrong"])
    assert "connection_refused" in project.log.read_text()


def test_page_names_owasps_events_as_the_code_does():
    rows = [row.split("|")[1:3] for row in section(PAGE, "## OWASP's event names").splitlines()]
    named = {row[0].strip(" `"): row[1] for row in rows if row and row[0].startswith(" `")}
    by_code = defaultdict(set)
    for code, name in (*owasp.REFUSED.items(), *owasp.CLOSED.items()):
        by_code[name].add(code.value)
    assert set(named) == {*by_code, *owasp.NAMES.values(), "malicious_cors"}
    codes = {name: set(re.findall("`([a-z_]+)`", text)) for name, text in named.items()}
    assert {name: found for name, found in codes.items() if found} == dict(by_code)


def test_nginx_accepts_the_lines_that_name_a_request(tmp_path):
    (lines,) = snippets(PAGE, "nginx")
    server = "server { listen 127.0.0.1:1; location / { proxy_pass http://127.0.0.1:2; } }"
    text = f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {lines} {server} }}"
    (tmp_path / "nginx.conf").write_text(text)
    command = ["nginx", "-t", "-e", "stderr", "-p", tmp_path, "-c", "nginx.conf"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "syntax is ok" in done.stderr, done.stderr
