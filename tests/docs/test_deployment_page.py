"""The page on deployment: its commands serve the README's site, its settings pass the checks."""

import re
import shlex

import pytest
import requests

from tests.docs.hello_site import hello_site, token_of_ada
from tests.docs.pages import read, snippets
from tests.docs.project import Project, outcome, section

pytestmark = pytest.mark.slow
PAGE = "docs/how-to/deployment/index.md"
SERVERS = ["granian", "uvicorn", "gunicorn", "daphne"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = hello_site(tmp_path_factory.mktemp("deployment"))
    project.write(section(PAGE, "## gunicorn"))
    return project


def command_of(server):
    """Return the line of the page that starts a server, with a port of ours."""
    (line,) = (
        line
        for block in snippets(PAGE, "sh")
        for line in block.splitlines()
        if line.startswith(f"{server} ")
    )
    return [each.replace("8000", "{port}") for each in shlex.split(line)]


@pytest.mark.parametrize("server", SERVERS)
def test_command_serves_the_readers_site(project, server):
    token = token_of_ada(project)
    with project.serve(*command_of(server)) as base:
        offered = ["token-auth.v1", f"bearer.{token}"]
        url = f"ws://{base}/hello/"
        origin = f"http://{base}"
        options = {"subprotocols": offered, "origin": origin, "frames": 1}
        assert outcome(url, wait=0.5, **options) == ["hello ada", "open"]


@pytest.mark.parametrize("server", SERVERS)
def test_table_names_the_server(server):
    table = read(PAGE).partition("| server | use it for |")[2].partition("\n\n")[0]
    (line,) = (line for line in table.splitlines() if re.match(rf"\| {server}\b", line))
    assert "mysite.asgi:application" in line


def test_static_files_are_served_without_runserver(tmp_path):
    project = Project(tmp_path)
    project.write(section("README.md", '## Five steps to "hello ada"'))
    project.write(section(PAGE, "## Static files"))
    project.manage("collectstatic", "--noinput")
    with project.serve(*command_of("uvicorn")) as base:
        url = f"http://{base}/static/channels_token_auth/token-socket.js"
        assert "TokenSocket" in requests.get(url, timeout=60).text


def test_layer_and_cache_for_several_processes_satisfy_the_checks(tmp_path):
    """With the README's settings alone, `check --deploy` warns of both."""
    project = Project(tmp_path)
    project.write(section("README.md", '## Five steps to "hello ada"'))
    with (tmp_path / "mysite" / "settings.py").open("a") as settings:
        settings.write('\nDEBUG = False\nALLOWED_HOSTS = ["example.com"]\n')
        settings.flush()
        before = warnings(project)
        (block,) = (text for text in snippets(PAGE, "python") if text.startswith("CHANNEL_LAYERS"))
        settings.write(f"\n{block}")
        settings.flush()
    after = warnings(project)
    assert {"W004", "W007"} <= before
    assert after & {"W004", "W007", "W008", "W010", "E008"} == set()


def warnings(project):
    """Return the numbers of the library's checks that `check --deploy` prints."""
    code = (
        "import django; django.setup();"
        "from django.core.checks import run_checks;"
        "print(*[m.id for m in run_checks(include_deployment_checks=True)])"
    )
    printed = project.run("-c", code, DJANGO_SETTINGS_MODULE="mysite.settings")
    return set(re.findall(r"channels_token_auth\.([EWI]\d{3})", printed))
