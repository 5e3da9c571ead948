"""The backend on its page is complete, and as short as the page says: a site is made of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import snippets

PAGE = "docs/how-to/backends/write-your-own.md"
VISIT = Path(__file__).with_name("visit_own.py")
SITE = """
SECRET_KEY = "for tests only, and long enough for every algorithm that signs with it"
USE_TZ = True
DEBUG = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "shop"]
INSTALLED_APPS += ["channels_token_auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    (site / "shop").mkdir()
    for snippet in snippets(PAGE, "python"):
        file = re.match(r"# (\S+)\n", snippet)[1]
        with (site / file).open("a") as opened:  # a file of two snippets is one module
            opened.write(snippet if "/" in file else SITE + snippet)
    environ = {"PYTHONPATH": str(site), "DJANGO_SETTINGS_MODULE": "settings"}
    command = [sys.executable, "-W", "error", VISIT]
    # The timeout ends what hangs only.
    finished = subprocess.run(
        command, cwd=site, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


def test_key_is_its_users(visits):
    assert visits["good"] == ["ada", "api_key", visits["token_id"]]


@pytest.mark.parametrize(("key", "code"), [("wrong", 4401), ("foreign", 4401), ("inactive", 4423)])
def test_other_keys_are_refused(visits, key, code):
    assert visits[key] == code


def test_ended_keys_are_refused_and_one_that_is_spared_is_not(visits):
    assert visits["ended"] == 4401
    assert visits["spared"] == visits["good"]


def test_socket_is_revalidated_by_its_key(visits):
    assert (visits["revalidated"], visits["gone"]) == ("user_inactive", [None])


def test_short_backend_leaves_revocation_to_the_denylist(visits):
    assert (visits["is_row_revoked"], visits["is_user_revoked"]) == ([False], False)


def test_long_backend_revokes_in_its_rows(visits):
    assert visits["is_ended"] == [True]


def test_every_end_is_announced(visits):
    first, second = visits["announced"]
    assert first != second == visits["token_id"]


def test_short_backend_has_eighteen_lines():
    code, _ = (snippet for snippet in snippets(PAGE, "python") if "Backend(" in snippet)
    body = code[code.index("class ") :]
    assert len([line for line in body.splitlines() if line.strip()]) <= 18
