"""The page on logging: its settings write what it says."""

import json

import pytest

from tests.docs.pages import read
from tests.docs.project import Project, outcome, section

pytestmark = pytest.mark.slow
PAGE = "docs/how-to/logging.md"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("logging"))
    project.write(section("README.md", '## Five steps to "hello ada"'))
    project.manage("migrate")
    return project


def test_refusal_is_one_line_of_json(project):
    project.write(read(PAGE))
    with project.serve() as base:
        outcome(f"ws://{base}/hello/", subprotocols=["token-auth.v1", "bearer.wrong"])
    (line,) = (project.folder / "audit.log").read_text().splitlines()
    record = json.loads(line)
    assert (record["event"], record["code"]) == ("connection_refused", "token_invalid")
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
