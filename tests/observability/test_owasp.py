"""With `AUDIT_EVENT_NAMES = "owasp"`, audit records have the names of OWASP's vocabulary."""

import logging

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import Detail
from channels_token_auth.core.revocation import Revocation, Target
from channels_token_auth.observability import events
from channels_token_auth.observability.audit import LOGGER
from tests.reported import Reported

FACTS = Reported()
REVOCATION = Revocation(target=Target(user_id="7"), code=CloseReason.TOKEN_REVOKED)
ORIGIN = Detail(slug="origin_not_listed", remedy="List it.")


def refused(code, detail=None):
    return events.HandshakeRefused(connection=FACTS, code=code, detail=detail)


def asked(code):
    return events.RequestRefused(method="GET", path="/", code=code)


def closed(code):
    return events.ConnectionClosed(connection=FACTS, code=code, close_code=1000)


CASES = [
    (events.ConnectionAuthenticated(connection=FACTS), "authn_login_success"),
    (events.ConnectionReauthenticated(connection=FACTS), "session_renewed"),
    (events.RevocationPublished(revocation=REVOCATION, is_revocation=True), "authn_token_revoked"),
    (events.IdentityInjected(operator="o", user_id="7", path="/"), "authz_admin"),
    (refused(CloseReason.TOKEN_INVALID), "authn_login_fail"),
    (refused(CloseReason.TOKEN_REVOKED), "authn_token_reuse"),
    (refused(CloseReason.FORBIDDEN), "authz_fail"),
    (refused(CloseReason.FORBIDDEN, ORIGIN), "malicious_cors"),
    (refused(CloseReason.UNAVAILABLE), "connection_refused"),
    (asked(CloseReason.RATE_LIMITED), "excess_rate_limit_exceeded"),
    (asked(CloseReason.UNAVAILABLE), "request_refused"),
    (
        events.ReauthenticationRefused(connection=FACTS, code=CloseReason.TOKEN_EXPIRED),
        "session_use_after_expire",
    ),
    (closed(CloseReason.TOKEN_EXPIRED), "session_expired"),
    (closed(CloseReason.CONNECTION_LIMIT), "excess_rate_limit_exceeded"),
    (closed(CloseReason.UNAVAILABLE), "connection_closed"),
    (closed(None), "connection_closed"),
]


@pytest.fixture(autouse=True)
def site(settings, caplog):
    caplog.set_level(logging.INFO, LOGGER)
    settings.CHANNELS_TOKEN_AUTH = {
        **settings.CHANNELS_TOKEN_AUTH,
        "AUDIT_EVENT_NAMES": "owasp",
    }
    return settings


@pytest.mark.parametrize(("event", "name"), CASES)
@pytest.mark.asvs("16.3.2", "16.3.3")
def test_record_has_owasps_name(event, name, caplog):
    events.emit(event)
    (record,) = (each for each in caplog.records if each.name == LOGGER)
    assert record.event == name
    assert record.getMessage().startswith(f"{name} ")


def test_record_keeps_the_name_of_its_signal(caplog):
    events.emit(refused(CloseReason.TOKEN_INVALID))
    (record,) = (each for each in caplog.records if each.name == LOGGER)
    assert (record.event, record.signal) == ("authn_login_fail", "connection_refused")


def test_by_default_records_have_the_names_of_the_signals(site, caplog):
    del site.CHANNELS_TOKEN_AUTH["AUDIT_EVENT_NAMES"]
    site.CHANNELS_TOKEN_AUTH = dict(site.CHANNELS_TOKEN_AUTH)
    events.emit(refused(CloseReason.TOKEN_INVALID))
    (record,) = (each for each in caplog.records if each.name == LOGGER)
    assert record.event == "connection_refused"


def test_wrong_settings_lose_no_record(site, caplog):
    site.CHANNELS_TOKEN_AUTH = {"AUDIT_EVENT_NAMES": "nonsense"}
    events.emit(refused(CloseReason.TOKEN_INVALID))
    assert [each.event for each in caplog.records if each.name == LOGGER] == ["connection_refused"]
