"""Logged errors are named, and show no secret."""

import logging

import pytest
from django.contrib.auth.models import User

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.core.redaction import MARK
from channels_token_auth.observability import throttle as throttle_module
from channels_token_auth.observability.error_log import describe_error, log_error

KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
SECRET = Secret(KEY)
CREDENTIAL = Credential(location=Location.COOKIE, secret=SECRET)
AUTHENTICATION = Authentication(backend="b", token_id="1", location=Location.HEADER)


def grant(handle):
    return Grant(user_pk=1, authentication=AUTHENTICATION, handle=handle)


def raised(error):
    """The error, with a traceback in which the secret is a local."""
    key = KEY
    try:
        raise error
    except type(error) as caught:
        assert key
        return caught


@pytest.mark.parametrize(
    "about",
    [
        SECRET,
        CREDENTIAL,
        grant(SECRET),
        grant(CREDENTIAL),
        grant(KEY),
        grant({"key": KEY}),
        grant(("jwt", [KEY])),
        Identity(user=User(pk=1), authentication=AUTHENTICATION, handle=CREDENTIAL),
        [CREDENTIAL],
    ],
    ids=lambda each: type(each).__name__,
)
def test_secret_that_was_worked_on_is_masked_wherever_it_is(about, caplog):
    log_error("failed", raised(ValueError(f"cannot read {KEY[:30]}")), about=[about])
    assert KEY[:12] not in caplog.text
    assert MARK in caplog.text


def test_secret_of_the_cause_is_masked(caplog):
    error = ValueError("outer")
    error.__cause__ = KeyError(KEY)
    log_error("failed", raised(error), about=[CREDENTIAL])
    assert "KeyError" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        f"GET /introspect?token={KEY}",
        f"Authorization: Bearer {KEY}",
        f"cannot connect to redis://worker:{KEY}@redis:6379/0",
        f"cannot connect to postgres://:{KEY}@db/site",
        f"cannot connect to redis://:p@{KEY}@redis:6379/0",
        f"cannot connect to redis://:{KEY}@one:6379,redis://:p@{KEY}@two:6379",
    ],
)
@pytest.mark.parametrize("brief", [True, False])
def test_secret_that_nobody_named_is_redacted_by_its_place(text, brief, caplog):
    log_error("failed", raised(ConnectionError(text)), brief=brief)
    assert KEY not in caplog.text
    assert "ConnectionError" in caplog.text


def test_record_has_no_traceback_object_for_error_reporters(caplog):
    log_error("failed", raised(ValueError("x")))
    (record,) = caplog.records
    assert record.exc_info is None
    assert record.funcName == "test_record_has_no_traceback_object_for_error_reporters"
    assert "Traceback" in record.getMessage()


@pytest.mark.asvs("16.3.4")
def test_brief_record_is_one_line_with_type_text_and_cause(caplog):
    error = ConnectionError("Error 111 connecting to redis:6379.\nConnection refused.")
    error.__cause__ = OSError(111, "refused")
    log_error("Layer unavailable.", error, brief=True)
    (message,) = caplog.messages
    assert message == (
        "Layer unavailable. ConnectionError: Error 111 connecting to redis:6379. Connection"
        " refused., caused by ConnectionRefusedError: [Errno 111] refused"
    )


def test_control_characters_of_an_error_are_escaped_in_one_line():
    assert describe_error(ValueError("a\x1b[31mb\u202e")) == "ValueError: a\\x1b[31mb\\u202e"


def test_text_of_an_error_begins_no_line_of_a_traceback(caplog):
    path = "/\nERROR forged\r\nERROR\u2028forged\x1b[2J\u202e"
    log_error("failed", raised(LookupError(f"no tenant for {path}")))
    first, *others = caplog.messages[0].split("\n")
    assert first == "failed"
    assert all(line.startswith("  ") and line.isprintable() for line in others)


def test_long_text_is_cut_off():
    assert len(describe_error(ValueError("x" * 10_000))) < 600


def test_error_that_causes_itself_is_described_once():
    error = ValueError("x")
    error.__cause__ = error
    assert describe_error(error) == "ValueError: x"


def test_error_whose_text_fails_is_named():
    class UnprintableError(Exception):
        def __str__(self):
            raise RuntimeError(KEY)

    assert describe_error(UnprintableError()).endswith("UnprintableError")


def test_nothing_is_formatted_where_nothing_is_logged(caplog):
    class UnprintableError(Exception):
        def __str__(self):
            raise AssertionError("formatted")

    caplog.set_level(logging.CRITICAL, "channels_token_auth")
    log_error("failed", UnprintableError(), brief=True)
    assert not caplog.records


class Clock:
    def __init__(self, seconds):
        self.monotonic = iter(seconds).__next__


def fail_often(error, times):
    for _ in range(times):
        log_error("failed", raised(error), often=True)


def test_frequent_error_is_logged_in_full_once(caplog):
    fail_often(ValueError("x"), 50)
    (message,) = caplog.messages
    assert "Traceback" in message


def test_frequent_errors_that_were_left_out_are_counted(caplog, monkeypatch):
    clock = Clock([0.0, 1.0, 2.0, 61.0])
    monkeypatch.setattr(throttle_module, "time", clock)
    fail_often(ValueError("x"), 4)
    assert ["2 more" in each for each in caplog.messages] == [False, True]


def test_other_errors_are_not_left_out(caplog):
    fail_often(ValueError("x"), 2)
    fail_often(KeyError("x"), 2)
    log_error("failed in another place", raised(ValueError("x")), often=True)
    with pytest.raises(ValueError, match="x") as of_another_line:
        int("x")
    log_error("failed", of_another_line.value, often=True)
    assert len(caplog.messages) == 4


def test_text_of_an_error_does_not_make_it_another_one(caplog):
    for number in range(5):
        fail_often(ValueError(f"a client sent {number}"), 1)
    assert len(caplog.messages) == 1
