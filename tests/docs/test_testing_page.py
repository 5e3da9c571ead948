"""The code in docs/how-to/testing.md is run as a site's developer would run it."""

import subprocess
import sys

import pytest

from tests.docs.pages import snippets

SETTINGS = """
SECRET_KEY = "of no worth: for one run of tests"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework.authtoken",
    "channels_token_auth",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CHANNELS_TOKEN_AUTH = {
    "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
}
"""
ASGI = """
from channels.routing import URLRouter
from channels_token_auth.middleware import TokenAuthMiddlewareStack
from chat.consumers import ChatConsumer
from django.urls import path

application = TokenAuthMiddlewareStack(URLRouter([path("chat/", ChatConsumer.as_asgi())]))
"""


@pytest.fixture
def site(tmp_path):
    consumer, *tests = snippets("docs/how-to/testing.md", "python")
    files = {"mysite/settings.py": SETTINGS, "mysite/asgi.py": ASGI, "chat/consumers.py": consumer}
    files |= {f"chat/test_{number}.py": test for number, test in enumerate(tests)}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).with_name("__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("runner", "tally"),
    [
        (("django", "test", "chat.test_0"), "Ran 4"),
        (("pytest", "-o", "asyncio_default_fixture_loop_scope=function"), "6 passed"),
    ],
)
def test_code_of_the_page_passes(site, runner, tally):
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-m", *runner],
        cwd=site,
        env={"PYTHONPATH": str(site), "DJANGO_SETTINGS_MODULE": "mysite.settings"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert tally in finished.stdout + finished.stderr
