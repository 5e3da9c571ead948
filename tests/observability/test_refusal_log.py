"""Each refusal is logged for the developer: once a minute for each reason, on one line."""

import logging

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import Detail
from channels_token_auth.observability.events import (
    HandshakeRefused,
    ReauthenticationRefused,
    RequestRefused,
    emit,
)
from channels_token_auth.observability.refusal_log import REMEDIES, throttle
from tests.reported import Reported

DETAIL = Detail(slug="wrong_audience", remedy="Set AUDIENCE.")


@pytest.fixture(autouse=True)
def _nothing_logged_yet():
    throttle.reset()
    yield
    throttle.reset()


def refused(code=CloseReason.TOKEN_INVALID, detail=DETAIL, kind=HandshakeRefused, **values):
    emit(kind(connection=Reported(**{"path": "/chat/"} | values), code=code, detail=detail))


def test_line_names_the_path_the_code_the_reason_and_the_remedy(caplog):
    refused(origin="http://localhost:3000")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("channels_token_auth", logging.WARNING)
    message = record.getMessage()
    for part in ("/chat/", "4401", "wrong_audience", "http://localhost:3000", "Set AUDIENCE."):
        assert part in message


def test_each_reason_is_logged_once_a_minute(caplog):
    for _ in range(3):
        refused()
        refused(CloseReason.FORBIDDEN)
        refused(detail=Detail(slug="wrong_issuer", remedy="Set ISSUER."))
        refused(kind=ReauthenticationRefused)
    assert len(caplog.records) == 4


def test_client_cannot_cause_more_lines_by_what_it_sends(caplog):
    for number in range(50):
        refused(path=f"/{number}/", origin=f"https://{number}.example", address=str(number))
    assert len(caplog.records) == 1


def test_request_that_was_refused_is_logged(caplog):
    emit(RequestRefused(method="POST", path="/auth/ticket/", code=CloseReason.FORBIDDEN))
    assert "POST" in caplog.text
    assert "/auth/ticket/" in caplog.text
    assert REMEDIES[CloseReason.FORBIDDEN] in caplog.text


@pytest.mark.asvs("16.4.1")
def test_client_cannot_break_the_line_or_write_to_a_terminal(caplog):
    forged = "/x\r\nERROR root: all is lost\x1b[31m\u202e" + "y" * 10_000
    refused(path=forged, origin=forged)
    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert len(message) < 1_000


@pytest.mark.parametrize("code", list(CloseReason))
def test_every_code_has_a_remedy(code, caplog):
    refused(code, detail=None)
    assert REMEDIES[code] in caplog.text


def test_nothing_is_built_where_nobody_reads_it(caplog):
    caplog.set_level(logging.ERROR, "channels_token_auth")
    caplog.set_level(logging.WARNING, "channels_token_auth.audit")
    refused()
    assert not caplog.records
