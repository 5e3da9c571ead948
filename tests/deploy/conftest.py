"""The README's site as an operator deploys it: in a folder with a virtual environment."""

import sys
from pathlib import Path

import pytest

from tests.docs.project import Project, section
from tests.services import redis

DEPLOYMENT = "docs/how-to/deployment/index.md"
URLS = """
from django.urls import include

urlpatterns += [path("auth/", include("channels_token_auth.urls"))]
"""
LAYER = """
CHANNEL_LAYERS = {{
    "default": {{
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {{"hosts": [{{"address": "{url}", "socket_timeout": None}}]}},
    }}
}}
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("mysite"))
    project.write(section("README.md", '## Five steps to "hello ada"'))
    project.write(section(DEPLOYMENT, "## gunicorn"))
    (project.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    with (project.folder / "mysite" / "urls.py").open("a") as urls:
        urls.write(URLS)
    with redis() as server:
        with (project.folder / "mysite" / "settings.py").open("a") as settings:
            settings.write(LAYER.format(url=server.url))
        project.manage("migrate")
        project.manage("createsuperuser", "--noinput", "--username=ada", "--email=a@example.com",
                       DJANGO_SUPERUSER_PASSWORD="p")  # fmt: skip
        yield project


@pytest.fixture(scope="session")
def token(project):
    return project.manage("drf_create_token", "ada").split()[2]
