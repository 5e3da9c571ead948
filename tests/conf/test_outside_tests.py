"""Checks for what belongs into tests only: in a process that runs none."""

import json

import pytest

from tests import launcher

PROGRAM = """
import json, sys
import django
from django.conf import settings
debug, sets_up, path = json.loads(sys.argv[1])
settings.configure(
    DEBUG=debug,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "channels_token_auth"],
    CHANNELS_TOKEN_AUTH={"BACKENDS": [{"BACKEND": path}]},
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
if sets_up:
    from django.test.utils import setup_test_environment
    setup_test_environment()
from channels_token_auth.checks import check_settings
print(json.dumps([[each.id.partition(".")[2], each.level] for each in check_settings()]))
"""
FAKE = "channels_token_auth.testing.FakeTokenBackend"
SESSION = "channels_token_auth.backends.session.SessionBackend"


def reported(*, debug, sets_up, path):
    done = launcher.run_code(PROGRAM, json.dumps([debug, sets_up, path]))
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(("debug", "level"), [(True, 30), (False, 40)])
@pytest.mark.asvs("15.2.3")
def test_fake_backend_is_reported_outside_of_tests(debug, level):
    assert reported(debug=debug, sets_up=False, path=FAKE)["E191"] == level


def test_test_environment_is_reported_where_no_tests_run():
    assert reported(debug=False, sets_up=True, path=SESSION)["W016"] == 30


def test_neither_is_reported_of_a_plain_site():
    assert not {"E191", "W016"} & reported(debug=False, sets_up=False, path=SESSION).keys()
