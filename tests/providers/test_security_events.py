"""Security event tokens by push: RFC 8935, RFC 8417, CAEP, RISC and Shared Signals."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.observability.events import RevocationPublished, subscribe
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import jwk, rsa_keys
from tests.providers.signing import (
    CAEP,
    ISSUER,
    PUBLIC,
    RISC,
    access_token,
    event_claims,
    logout_claims,
    now,
    outcome,
    push,
    signed,
)

PATH = "/auth/security-events/"
REVOKING = [
    f"{CAEP}session-revoked",
    f"{CAEP}credential-change",
    f"{RISC}account-disabled",
    f"{RISC}account-purged",
    f"{RISC}sessions-revoked",
]


def iss_sub(user, **changes):
    return {"format": "iss_sub", "iss": ISSUER, "sub": str(user.pk)} | changes


def sent(provider, event, payload=None, **claims):
    token = signed(event_claims(event, payload, **claims), "secevent+jwt")
    return provider.post(PATH, **push(token))


@pytest.mark.database
@pytest.mark.parametrize("event", REVOKING)
def test_event_about_a_user_revokes_the_tokens_of_that_user(provider, ada, bob, event):
    hers, his = access_token(ada), access_token(bob)
    answer = sent(provider, event, sub_id=iss_sub(ada))
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer["Cache-Control"] == "no-store"
    assert (outcome(hers), outcome(his)) == ("token_revoked", "accepted")


@pytest.mark.database
def test_event_about_a_session_revokes_that_session_only(provider, ada):
    ended, other = access_token(ada, "s1"), access_token(ada, "s2")
    subject = {"format": "complex", "session": {"format": "opaque", "id": "s1"}}
    answer = sent(provider, f"{CAEP}session-revoked", sub_id=subject | {"user": iss_sub(ada)})
    assert answer.status_code == 202
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


@pytest.mark.parametrize("missing", ["user", "session"])
@pytest.mark.parametrize("named", [{}, {"format": "complex"}])
def test_member_of_a_complex_subject_that_is_null_revokes_nothing(
    provider, ada, revocations, missing, named
):
    session = {"format": "opaque", "id": "s1"}
    subject = {**named, "user": iss_sub(ada), "session": session, missing: None}
    answer = sent(provider, f"{CAEP}session-revoked", sub_id=subject)
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")
    assert revocations == []


@pytest.mark.database
def test_changed_claims_leave_open_sockets_time_for_a_fresh_token(provider, ada, revocations):
    token = access_token(ada)
    payload = {"claims": {"role": "reader"}}
    answer = sent(provider, f"{CAEP}token-claims-change", payload, sub_id=iss_sub(ada))
    assert answer.status_code == 202
    (revocation,) = [each.revocation for each in revocations]
    assert (revocation.target.user_id, revocation.deadline is None) == (str(ada.pk), False)
    assert outcome(token) == "token_revoked"


def test_changed_claims_of_a_session_leave_its_sockets_time_and_end_no_other_session(
    provider, ada, revocations
):
    token, other = access_token(ada), access_token(ada, "s2")
    subject = {"user": iss_sub(ada), "session": {"format": "opaque", "id": "s1"}}
    answer = sent(provider, f"{CAEP}token-claims-change", sub_id=subject)
    assert answer.status_code == 202
    (revocation,) = [each.revocation for each in revocations if each.is_revocation]
    assert revocation.target.labels == {("sid", "s1")}
    assert all(each.revocation.deadline for each in revocations)
    assert (outcome(token), outcome(other)) == ("token_revoked", "accepted")


IGNORED = {
    "verification": (
        "https://schemas.openid.net/secevent/ssf/event-type/verification",
        {"state": "VGhpcyBpcyBhbiBleGFtcGxl"},
    ),
    "unknown event": ("https://example.test/event", {}),
    "added credential": (f"{CAEP}credential-change", {"change_type": "create"}),
}


@pytest.mark.parametrize(("event", "payload"), IGNORED.values(), ids=IGNORED)
def test_event_that_ends_nothing_is_acknowledged(provider, ada, revocations, event, payload):
    subject = {"format": "opaque", "id": str(ada.pk)}
    assert sent(provider, event, payload, sub_id=subject).status_code == 202
    assert revocations == []


SUBJECTS = {
    "opaque": lambda ada: {"sub_id": {"format": "opaque", "id": str(ada.pk)}},
    "in the event": lambda ada: {"payload": {"subject": iss_sub(ada)}},
    "as Google writes it": lambda ada: {
        "payload": {"subject": {"subject_type": "iss-sub", "iss": f"{ISSUER}/", "sub": str(ada.pk)}}
    },
    "aliases": lambda ada: {
        "sub_id": {
            "format": "aliases",
            "identifiers": [{"format": "email", "email": ada.email}, iss_sub(ada)],
        }
    },
    "user and device": lambda ada: {
        "sub_id": {"user": iss_sub(ada), "device": {"format": "opaque", "id": "d"}}
    },
    "plain sub": lambda ada: {"sub": str(ada.pk)},
}


@pytest.mark.database
@pytest.mark.parametrize("claims", SUBJECTS.values(), ids=SUBJECTS)
def test_subject_is_read_in_each_format(provider, ada, claims):
    token = access_token(ada)
    assert sent(provider, f"{CAEP}session-revoked", **claims(ada)).status_code == 202
    assert outcome(token) == "token_revoked"


@pytest.mark.database
@pytest.mark.parametrize("event", ["session-revoked", "token-claims-change"])
def test_opaque_subject_that_is_no_user_is_a_session(provider, ada, event):
    ended, other = access_token(ada, "dMTlD|16008.16"), access_token(ada, "s2")
    subject = {"format": "opaque", "id": "dMTlD|16008.16"}  # CAEP 1.0 §3.1.2
    assert sent(provider, f"{CAEP}{event}", sub_id=subject).status_code == 202
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


def jwt_id(**changes):
    return {"format": "jwt_id", "iss": ISSUER, "jti": "f61t6e20zdo3px"} | changes


@pytest.mark.database
def test_subject_that_is_a_token_ends_that_token_alone(provider, ada):
    ended, other = access_token(ada, jti="f61t6e20zdo3px"), access_token(ada)
    assert sent(provider, f"{CAEP}session-revoked", sub_id=jwt_id()).status_code == 202
    assert (outcome(ended), outcome(other)) == ("token_revoked", "accepted")


def test_changed_claims_of_a_token_have_its_client_fetch_another(provider, ada):
    seen = []
    end = subscribe(RevocationPublished, seen.append)
    assert sent(provider, f"{CAEP}token-claims-change", sub_id=jwt_id()).status_code == 202
    end()
    (revocation,) = [each.revocation for each in seen]
    assert (revocation.code, revocation.target.token_id) == (
        CloseReason.TOKEN_EXPIRED,
        "f61t6e20zdo3px",
    )
    assert (revocation.target.backend, revocation.target.issuer) == ("jwt", ISSUER)


@pytest.mark.database
def test_subject_by_email_finds_the_user_by_the_site_s_function(provider, configure, ada):
    configure(USER="tests.providers.users.by_email")
    token = access_token(ada)
    subject = {"format": "email", "email": ada.email}
    assert sent(provider, f"{RISC}account-disabled", sub_id=subject).status_code == 202
    assert outcome(token) == "token_revoked"


UNKNOWN = {
    "nobody": {"format": "iss_sub", "iss": ISSUER, "sub": "999"},
    "organisation": {"format": "complex", "tenant": {"format": "opaque", "id": "123456789"}},
    "device": {"format": "complex", "device": {"format": "opaque", "id": "d"}},
    "unknown format": {"format": "saml_assertion_id", "issuer": ISSUER, "assertion_id": "a"},
    "email where users are found by sub": {"format": "email", "email": "ada@site.test"},
}


@pytest.mark.database
@pytest.mark.parametrize("subject", UNKNOWN.values(), ids=UNKNOWN)
def test_subject_that_is_unknown_here_is_acknowledged(provider, ada, revocations, subject):
    assert sent(provider, f"{CAEP}session-revoked", sub_id=subject).status_code == 202
    assert revocations == []


@pytest.mark.database
def test_event_that_arrives_late_leaves_a_later_login(provider, ada):
    old, new = access_token(ada, iat=now() - 500), access_token(ada, iat=now() - 100)
    payload = {"event_timestamp": now() - 300}
    assert sent(provider, RISC + "account-disabled", payload, sub=str(ada.pk)).status_code == 202
    assert (outcome(old), outcome(new)) == ("token_revoked", "accepted")


def test_time_of_the_event_has_precedence_over_that_of_its_token(provider, ada):
    """[CAEP] §2 defines `event_timestamp`, RFC 8417 §2.2 `toe` for the events of a token."""
    old, new = access_token(ada, iat=now() - 500), access_token(ada, iat=now() - 100)
    payload, claims = {"event_timestamp": now() - 300}, {"sub": str(ada.pk), "toe": now() - 50}
    assert sent(provider, RISC + "account-disabled", payload, **claims).status_code == 202
    assert (outcome(old), outcome(new)) == ("token_revoked", "accepted")


@pytest.mark.parametrize("name", ["event_timestamp", "toe"])
def test_event_after_its_own_token_revokes_no_later_login(provider, ada, name):
    """Such a time is a mistake: it would end logins that followed the event."""
    old, new = access_token(ada, iat=now() - 500), access_token(ada, iat=now() - 30)
    payload = {"event_timestamp": now() - 10} if name == "event_timestamp" else {}
    claims = {"sub": str(ada.pk), "iat": now() - 60} | ({"toe": now() - 10} if not payload else {})
    assert sent(provider, RISC + "account-disabled", payload, **claims).status_code == 202
    assert (outcome(old), outcome(new)) == ("token_revoked", "accepted")


@pytest.mark.parametrize("moment", [lambda: now() * 1000, lambda: now() // 1000, lambda: 0])
def test_time_in_another_unit_is_not_taken_for_seconds(provider, ada, moment):
    token, payload = access_token(ada), {"event_timestamp": moment()}
    assert sent(provider, RISC + "account-disabled", payload, sub=str(ada.pk)).status_code == 202
    assert outcome(token) == "token_revoked"


def test_copy_is_acknowledged_and_does_nothing(provider, ada, revocations):
    event = event_claims(f"{CAEP}session-revoked", sub_id=iss_sub(ada))
    request = push(signed(event, "secevent+jwt"))
    assert [provider.post(PATH, **request).status_code for _ in range(2)] == [202, 202]
    assert len(revocations) == 1


@pytest.fixture
def published(configure):
    """The provider publishes its keys: one, whose id is `first`."""
    with jwks_server({"keys": [jwk(PUBLIC, kid="first")]}) as server:
        configure(KEY=..., JWKS_URL=server.url)
        yield server


REJECTED = {
    "invalid_request": lambda: "c4n4ry",
    "invalid_request: type": lambda: signed(event_claims("urn:a"), "JWT"),
    "invalid_request: events": lambda: signed(event_claims("urn:a", events={}), "secevent+jwt"),
    "invalid_request: payload": lambda: signed(
        event_claims(f"{CAEP}session-revoked", events={f"{CAEP}session-revoked": 1}), "secevent+jwt"
    ),
    "invalid_request: no subject": lambda: signed(
        event_claims(f"{CAEP}session-revoked"), "secevent+jwt"
    ),
    "invalid_request: malformed subject": lambda: signed(
        event_claims(f"{CAEP}session-revoked", sub_id={"format": "iss_sub", "sub": 5}),
        "secevent+jwt",
    ),
    "invalid_request: malformed session": lambda: signed(
        event_claims(f"{CAEP}session-revoked", sub_id={"session": {"format": "opaque"}}),
        "secevent+jwt",
    ),
    "invalid_request: too old": lambda: signed(
        event_claims("urn:a", iat=now() - 700_000), "secevent+jwt"
    ),
    "invalid_request: logout token": lambda: signed(logout_claims()),
    "invalid_issuer": lambda: signed(event_claims("urn:a", iss="https://b.test"), "secevent+jwt"),
    "invalid_audience": lambda: signed(event_claims("urn:a", aud="other"), "secevent+jwt"),
    "authentication_failed": lambda: signed(
        event_claims("urn:a"), "secevent+jwt", key=rsa_keys("thief")[0]
    ),
    "invalid_key": lambda: signed(event_claims("urn:a"), "secevent+jwt", kid="withdrawn"),
    "access_denied: token": lambda: signed(
        event_claims(f"{CAEP}session-revoked", sub_id=jwt_id(iss="https://b.test")), "secevent+jwt"
    ),
    "invalid_request: no jti": lambda: signed(
        event_claims(f"{CAEP}session-revoked", sub_id=jwt_id(jti="")), "secevent+jwt"
    ),
    "access_denied": lambda: signed(
        event_claims(
            f"{CAEP}session-revoked",
            sub_id={"format": "iss_sub", "iss": "https://b.test", "sub": "1"},
        ),
        "secevent+jwt",
    ),
}


@pytest.mark.parametrize(("code", "token"), REJECTED.items(), ids=REJECTED)
def test_rejected_token_is_answered_with_its_error_code(
    provider, published, revocations, code, token
):
    answer = provider.post(PATH, **push(token()))
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer["Content-Language"] == "en"  # RFC 8935 §2.3
    assert answer.json().keys() == {"err", "description"}
    assert answer.json()["err"] == code.partition(":")[0]
    assert revocations == []


def test_body_of_another_type_is_rejected(provider):
    token = signed(event_claims("urn:a"), "secevent+jwt")
    answer = provider.post(PATH, data=token, content_type="application/jwt")
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")
