"""What `manage.py check` says of the settings."""

import pytest
from django.core.checks import ERROR, WARNING, Error, Tags, run_checks

from channels_token_auth.checks import check_settings

BACKENDS = [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]


@pytest.fixture
def check(settings):
    """The messages on a site with these settings besides its backend, as ids."""
    settings.DEBUG = False

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


def test_null_origin_is_for_development(check, settings):
    settings.DEBUG = True
    assert check(ALLOWED_ORIGINS=["null"]) == []


@pytest.mark.parametrize(
    ("given", "level", "words"),
    [
        ({"REFUSAL": "drop"}, ERROR, "CHANNELS_TOKEN_AUTH['REFUSAL'] must be one of auto, close"),
        ({"TOKEN": 1}, ERROR, "CHANNELS_TOKEN_AUTH['TOKEN'] is no setting; known are BACKENDS,"),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, ERROR, "'no.such.Backend' cannot be used"),
        ({"ALLOWED_ORIGINS": ["null"]}, ERROR, "ALLOWED_ORIGINS has 'null'"),
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
    sentence = "CHANNELS_TOKEN_AUTH must be a dictionary."
    assert check_settings() == [Error(sentence, id="channels_token_auth.E001")]


def test_django_runs_these_checks_without_being_asked_to_deploy(check):
    check(ANONYMOUS="yes")
    sentence = "CHANNELS_TOKEN_AUTH['ANONYMOUS'] must be True or False."
    assert Error(sentence, id="channels_token_auth.E001") in run_checks(tags=[Tags.security])
