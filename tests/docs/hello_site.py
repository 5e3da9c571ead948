"""The README's site with its user and her token, our endpoints, and a channel layer if needed."""

from pathlib import Path

from tests.docs.project import Project, section

__all__ = ["ENDPOINTS", "hello_site", "token_of_ada", "use_redis"]

ENDPOINTS = """
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


def hello_site(folder: Path, *, urls: str = ENDPOINTS) -> Project:
    """Build it in an empty folder, with its tables and the superuser ada."""
    project = Project(folder)
    project.write(section("README.md", '## Five steps to "hello ada"'))
    with (project.folder / "mysite" / "urls.py").open("a") as file:
        file.write(urls)
    project.manage("migrate")
    arguments = ("--noinput", "--username=ada", "--email=ada@example.com")
    project.manage("createsuperuser", *arguments, DJANGO_SUPERUSER_PASSWORD="p")
    return project


def use_redis(project: Project, url: str) -> None:
    """Give the site a channel layer that all its processes share."""
    with (project.folder / "mysite" / "settings.py").open("a") as file:
        file.write(LAYER.format(url=url))


def token_of_ada(project: Project) -> str:
    """Return her token, which is created the first time."""
    return project.manage("drf_create_token", "ada").split()[2]
