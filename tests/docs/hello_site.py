"""The README's site with its user and her token, our endpoints, and a channel layer if needed."""

import contextlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tests.docs.browser import PASSWORD
from tests.docs.project import Project, section

__all__ = ["ENDPOINTS", "TOKEN", "hello_site", "populate", "token_of_ada", "typed", "use_redis"]

ENDPOINTS = """
from django.urls import include

urlpatterns += [path("auth/", include("channels_token_auth.urls"))]
"""
TOKEN = ("drf_create_token", "ada")
LAYER = """
CHANNEL_LAYERS = {{
    "default": {{
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {{"hosts": [{{"address": "{url}", "socket_timeout": None}}]}},
    }}
}}
"""


def hello_site(folder: Path, *, urls: str = ENDPOINTS) -> Project:
    """Build it in an empty folder, with its tables and the superuser ada."""
    project = Project(folder)
    project.write(section("README.md", '## Five steps to "hello ada"'))
    with (project.folder / "mysite" / "urls.py").open("a") as file:
        file.write(urls)
    populate(project, PASSWORD, TOKEN)
    return project


def populate(project: Project, password: str, *more: Sequence[str]) -> None:
    """Create the tables of a site and the superuser ada, then run more commands, as `TOKEN`."""
    project.manage_all(
        ["migrate"],
        ["createsuperuser", "--noinput", "--username=ada", "--email=ada@example.com"],
        *more,
        DJANGO_SUPERUSER_PASSWORD=password,
    )


def typed(project: Project, commands: str) -> str:
    """Run the commands of a page before `runserver`, in one process; return what they print."""
    *lines, last = re.findall(r"python manage\.py (.*)", commands)
    assert last == "runserver"
    quiet = "createsuperuser --noinput --email=ada@example.com"
    lines = [line.replace("createsuperuser", quiet).split() for line in lines]
    return project.manage_all(*lines, DJANGO_SUPERUSER_PASSWORD=PASSWORD)


def use_redis(project: Project, url: str) -> None:
    """Give the site a channel layer that all its processes share."""
    with (project.folder / "mysite" / "settings.py").open("a") as file:
        file.write(LAYER.format(url=url))


def token_of_ada(project: Project) -> str:
    """Return her token. A command of Django would take a second for it."""
    with contextlib.closing(sqlite3.connect(project.folder / "db.sqlite3")) as database:
        ((key,),) = database.execute("SELECT key FROM authtoken_token")
    return key
