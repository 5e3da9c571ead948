"""What `manage.py check` says of the settings."""

import json
import subprocess
import sys

import pytest
from django.core.checks import ERROR, WARNING, Tags, run_checks

from channels_token_auth.checks import check_settings
from tests.matrix.kinds import KINDS

OURS = "channels_token_auth.backends."
WITHOUT_PACKAGES = f"""
import json, sys
for name in ("allauth", "jwt", "knox", "oauth2_provider", "requests", "rest_framework",
             "rest_framework_simplejwt"):
    sys.modules[name] = None  # as if it were not installed
import django
from django.conf import settings
paths = {[kind.path for kind in KINDS if kind.extra]}
settings.configure(
    CHANNELS_TOKEN_AUTH={{"BACKENDS": [{{"BACKEND": path}} for path in paths]}},
    CACHES={{"default": {{"BACKEND": "django.core.cache.backends.redis.RedisCache"}}}},
)
django.setup()
from channels_token_auth.checks import check_settings
errors = [message for message in check_settings() if message.id.endswith("E002")]
said = {{e.msg.split("'")[1]: [e.id, e.hint.partition(": ")[2]] for e in errors}}
print(json.dumps(said))
"""
BACKENDS = [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]


@pytest.fixture
def check(settings):
    """The messages on a site with these settings besides its backend, as ids."""
    settings.DEBUG = False
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"},
        "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    }

    def ids(**given):
        settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS} | given
        return [message.id.removeprefix("channels_token_auth.") for message in check_settings()]

    return ids


def test_default_settings_are_fine(check):
    assert check() == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"LOCATIONS": ["header", "query"]}, ["W001"]),
        ({"LOCATIONS": ["header", "cookie"]}, ["W002"]),
        ({"LOCATIONS": ["query", "cookie"]}, ["W001", "W002"]),
        ({"LOCATIONS": ["header"]}, []),
        ({"MAX_TOKEN_BYTES": 4096}, []),
        ({"MAX_TOKEN_BYTES": 4097}, ["W003"]),
        ({"ALLOWED_ORIGINS": ["https://example.com", "null"]}, ["E003"]),
        ({"ALLOWED_ORIGINS": ["https://example.com", "self"]}, []),
        ({"ALLOWED_ORIGINS": []}, []),
        ({"CACHE": "memory"}, ["W004"]),
        ({"CACHE": "nothing"}, ["W004"]),
        ({"CACHE": "memory", "LOCATIONS": ["header"]}, []),
        ({"CACHE": "no such"}, ["E004"]),
        ({"CACHE": "no such", "LOCATIONS": ["header"]}, ["E004"]),
        ({"BACKENDS": BACKENDS * 3}, ["E005"]),
        ({"BACKENDS": [*BACKENDS, {**BACKENDS[0], "OPTIONS": {"name": "other"}}]}, []),
        ({"ANONYMOUS": True, "SCOPES": ["chat:read"]}, ["W005"]),
        ({"ANONYMOUS": True}, []),
        ({"SCOPES": ["chat:read"]}, []),
        ({"SCOPES": "chat:read"}, ["E001"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.get_user"}]}, []),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "no.such.function"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.nothing"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.SESSION_KEY"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": ""}]}, ["E002"]),
        ({"ANONYMOUS": 1}, ["E001"]),
        ({"ANONYMOUS": 1, "REFUSAL": 1, "LOCATIONS": ["query"]}, ["E001", "E001"]),
        ({"TOKEN": 1}, ["E001"]),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, ["E002"]),
        ({"BACKENDS": [{"BACKEND": "nodots"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": {"unknown": 1}}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": None}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": {"model": "no.Model"}}]}, ["E101"]),
        ({"BACKENDS": [{"BACKEND": "no.A"}, {"BACKEND": "no.B"}]}, ["E002", "E002"]),
        ({"BACKENDS": [{"BACKEND": "no.A"}], "LOCATIONS": ["query"]}, ["E002", "W001"]),
    ],
)
def test_each_mistake_and_each_loosening_has_its_message(check, given, expected):
    assert check(**given) == expected


@pytest.mark.parametrize("given", [{"ALLOWED_ORIGINS": ["null"]}, {"CACHE": "memory"}])
def test_null_origin_and_a_cache_of_one_process_are_for_development(check, settings, given):
    settings.DEBUG = True
    assert check(**given) == []


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({"REFUSAL": "drop"}, ERROR, "CHANNELS_TOKEN_AUTH['REFUSAL'] must be one of auto, close"),
        ({"TOKEN": 1}, ERROR, "CHANNELS_TOKEN_AUTH['TOKEN'] is no setting; known are BACKENDS,"),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, ERROR, "'no.such.Backend' cannot be used"),
        ({"ALLOWED_ORIGINS": ["null"]}, ERROR, "ALLOWED_ORIGINS has 'null'"),
        ({"CACHE": "files"}, ERROR, "CACHE is 'files', and CACHES has no such alias"),
        ({"BACKENDS": BACKENDS * 2}, ERROR, "Several BACKENDS have the name 'drf'"),
        ({"CACHE": "memory"}, WARNING, "CACHE is 'memory', which no other process sees"),
        ({"ANONYMOUS": True, "SCOPES": ["a"]}, WARNING, "ANONYMOUS lets nobody in"),
        ({"LOCATIONS": ["query"]}, WARNING, "LOCATIONS has 'query'"),
        ({"LOCATIONS": ["cookie"]}, WARNING, "LOCATIONS has 'cookie'"),
        ({"MAX_TOKEN_BYTES": 8192}, WARNING, "MAX_TOKEN_BYTES is over 4096"),
    ],
)
def test_message_names_the_setting_and_is_as_grave_as_it_is(check, given, level, words):
    check(**given)
    (message,) = check_settings()
    assert message.level == level
    assert words in message.msg


@pytest.mark.parametrize(
    "given",
    [
        {"ALLOWED_ORIGINS": ["null"]},
        {"CACHE": "files"},
        {"CACHE": "memory"},
        {"BACKENDS": BACKENDS * 2},
        {"ANONYMOUS": True, "SCOPES": ["a"]},
        {"LOCATIONS": ["query"]},
        {"LOCATIONS": ["cookie"]},
        {"MAX_TOKEN_BYTES": 8192},
    ],
)
def test_loosening_comes_with_a_hint(check, given):
    check(**given)
    (message,) = check_settings()
    assert message.hint


def test_settings_that_are_no_dictionary_are_one_error(settings):
    settings.CHANNELS_TOKEN_AUTH = ["header"]
    (error,) = check_settings()
    assert (error.id, error.msg) == (
        "channels_token_auth.E001",
        "CHANNELS_TOKEN_AUTH must be a dictionary.",
    )


def test_django_runs_these_checks_without_being_asked_to_deploy(check):
    check(ANONYMOUS="yes")
    sentence = "CHANNELS_TOKEN_AUTH['ANONYMOUS'] must be True or False."
    assert sentence in [message.msg for message in run_checks(tags=[Tags.security])]


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({"LOCATION": ["header"]}, "The README has a table of all settings"),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, "Correct the entry in BACKENDS"),
        ({"BACKENDS": [{"BACKEND": f"{OURS}no.such.Backend"}]}, "Correct the entry in BACKENDS"),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": {"modle": 1}}]}, "Correct the entry in BACKENDS"),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "no.function"}]}, "Correct the entry in BACKENDS"),
    ],
)
def test_mistake_comes_with_a_hint(check, given, hint):
    check(**given)
    (message,) = check_settings()
    assert message.hint.startswith(hint)


def test_package_that_is_missing_is_named_with_what_to_type():
    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    # That of DRF's tokens imports no package: it misses their model, and says so (E101).
    names = {kind.path: kind.extra for kind in KINDS if kind.extra and kind.name != "drf"}
    assert json.loads(finished.stdout) == {
        path: ["channels_token_auth.E002", f'pip install "channels-token-auth[{extra}]"']
        for path, extra in names.items()
    }


KNOWS_MORE = {"BACKEND": "channels_token_auth.backends.knox.KnoxTokenBackend"}
KNOWS_LESS = {"BACKEND": "channels_token_auth.backends.session.SessionBackend"}
FOREIGN = {"BACKEND": "channels_token_auth.testing.FakeTokenBackend"}


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ([KNOWS_LESS, KNOWS_MORE], ["W006"]),
        ([KNOWS_MORE, KNOWS_LESS], []),
        ([KNOWS_LESS, FOREIGN], []),
    ],
)
def test_backend_that_knows_less_of_a_tokens_end_comes_last(check, backends, expected):
    found = check(BACKENDS=backends, LOCATIONS=["cookie"], COOKIE_NAME="sessionid")
    assert [message for message in found if message == "W006"] == expected
