"""The page on revocation: its code runs, and its tables list what the code has."""

import argparse
import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management import load_command_class
from rest_framework.authtoken.models import Token

from channels_token_auth import checks, signals
from channels_token_auth.checks import layers
from tests.docs.pages import read, snippets, table
from tests.verification.odd_caches import Remote, cache

PAGE = "docs/how-to/revocation.md"
OF_DJANGO = {
    *("version", "verbosity", "settings", "pythonpath", "traceback"),
    *("no_color", "force_color", "skip_checks", "help"),
}


def snippet(word):
    (found,) = (each for each in snippets(PAGE, "python") if word in each)
    return found


@pytest.mark.django_db(transaction=True)
def test_calls_work_as_written(capsys):
    user = User.objects.create_user("ada")
    other = User.objects.create_user("bob")
    names = {"user": user, "key": Token.objects.create(user=user).key, "moment": datetime.now(UTC)}
    Token.objects.create(user=other)
    exec(snippet("revoke_token(key)"), names)
    assert [token.user for token in Token.objects.all()] == [other]
    assert capsys.readouterr().out == "0 open, on []\n"


@pytest.mark.django_db(transaction=True)
def test_calls_by_label_work_as_written(settings):
    options = {"algorithms": ["HS256"], "key": "k" * 32}
    backend = "channels_token_auth.backends.jwt.JWTBackend"
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": backend, "OPTIONS": options}]}
    settings.CACHES = cache(Remote)
    names = {"user": User.objects.create_user("ada"), "session_id": "s1", "issuer": "https://a"}
    exec(snippet("revoke(label="), names | {"moment": datetime.now(UTC)})


@pytest.mark.django_db(transaction=True)
def test_receiver_gets_a_revocation(capsys):
    key = Token.objects.create(user=User.objects.create_user("ada")).key
    names = {}
    exec(snippet("@receiver(token_revoked)"), names)
    exec(snippet("revoke_token(key)").partition("revoke_user(user)")[0], {"key": key})
    signals.token_revoked.disconnect(names["remember"])
    assert capsys.readouterr().out.startswith("revoked ")
    assert "token_revoked" in read(PAGE)


@pytest.mark.parametrize("command", ["token_connections", "token_revoke", "token_drain"])
def test_every_option_of_a_command_is_listed(command):
    parser = load_command_class("channels_token_auth", command).create_parser("manage.py", command)
    listed = " ".join(cell for cell, _ in table(PAGE, "command") if cell.startswith(command))
    options = [
        each.option_strings[-1]
        for each in parser._actions
        if each.option_strings and each.dest not in OF_DJANGO
    ]
    assert isinstance(parser, argparse.ArgumentParser)
    assert [each for each in options if each not in listed] == []
    assert set(re.findall(r"--[a-z]+", listed)) <= set(options)


def test_layer_on_the_page_passes_the_check(settings, monkeypatch):
    monkeypatch.setattr(layers, "is_broken", lambda: True)
    settings.DEBUG = False
    names = {}
    exec(snippet("CHANNEL_LAYERS"), names)
    settings.CHANNEL_LAYERS = names["CHANNEL_LAYERS"]
    assert list(layers.layer()) == []


def test_checks_that_the_page_names_are_there():
    folder = checks.__path__[0]
    source = "".join(read(f"{folder}/{name}.py") for name in ("caches", "layers"))
    for number in set(re.findall(r"\b[EWI]0\d\d\b", read(PAGE))):
        assert f"channels_token_auth.{number}" in source


# The modules with the lines, and how the page fills in their fields.
LOGGING = (
    *("cluster/envelope", "cluster/layer", "limits/shared_counters", "management/terminal"),
    *("node/store_outages", "revocation/pending/savepoints", "verification/denylist/store"),
    *("verification/lanes/lanes", "verification/verifier"),
)
FIELDS = {
    "Token store of %r": "Token store of 'drf'",
    "LIMITS[%r]": "LIMITS['STORAGE']",
    "lane %r": "lane 'rows'",
    "over %s s": "over … s",
    "%r": "'default'",
}


def test_log_lines_on_the_page_are_those_of_the_code():
    source = "".join(read(f"{checks.__path__[0]}/../{name}.py") for name in LOGGING)
    for field, example in FIELDS.items():
        source = source.replace(field, example)
    lines = [
        line.removesuffix(" web-3:9.").removesuffix(" …") for line, _ in table(PAGE, "you see")
    ]
    assert [line for line in lines if line not in source] == []
