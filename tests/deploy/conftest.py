"""The README's site as an operator deploys it: in a folder with a virtual environment."""

import sys
from pathlib import Path

import pytest

from tests.docs.hello_site import hello_site, token_of_ada, use_redis
from tests.docs.project import section
from tests.services import redis

DEPLOYMENT = "docs/how-to/deployment/index.md"


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    project = hello_site(tmp_path_factory.mktemp("mysite"))
    project.write(section(DEPLOYMENT, "## gunicorn"))
    (project.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    with redis() as server:
        use_redis(project, server.url)
        yield project


@pytest.fixture(scope="session")
def token(project):
    return token_of_ada(project)
