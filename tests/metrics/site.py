"""A site in a process of its own, whose metrics begin anew."""

from tests import launcher

__all__ = ["HIT", "SCRAPE", "SITE", "python"]

SITE = """
from django.conf import settings
settings.configure(
    SECRET_KEY="for tests only",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", {apps}],
    ROOT_URLCONF="django_prometheus.urls",
    ALLOWED_HOSTS=["testserver"],
    CHANNELS_TOKEN_AUTH={{"BACKENDS": [{{
        "BACKEND": "channels_token_auth.backends.session.SessionBackend"}}]}},
)
import django; django.setup()
from channels_token_auth.observability.events import CacheHit, emit
"""
HIT = "channels_token_auth_cache_hits_total"

SCRAPE = """
from prometheus_client import generate_latest
from channels_token_auth.metrics.registry import registry
print(generate_latest(registry()).decode())
"""


def python(program, *, apps="'channels_token_auth'", first="", **environ):
    """Run a program in a process of its own, in which Django has started."""
    done = launcher.run_code(first + SITE.format(apps=apps) + program, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout
