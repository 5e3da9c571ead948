"""The pure rules about providers' tokens: whatever the claims are, a notice or a rejection."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.providers.rejection import Rejected
from channels_token_auth.providers.tokens import (
    LOGOUT_TOKEN,
    SECURITY_EVENT_TOKEN,
    check_times,
    read_logout,
    read_revocation,
    read_security_event,
)
from tests.providers.signing import CAEP, ISSUER, LOGOUT, RISC

NOW = 1_800_000_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["format", "subject_type", "iss", "sub", "id", "email", "identifiers", "user", "session"]
FORMATS = st.sampled_from(["iss_sub", "iss-sub", "opaque", "email", "aliases", "complex", "jwt_id"])
SUBJECTS = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), FORMATS | st.just(ISSUER) | JSON, max_size=4),
    lambda inner: (
        st.dictionaries(st.sampled_from(NAMES), inner | FORMATS, max_size=4)
        | st.fixed_dictionaries({"format": st.just("aliases"), "identifiers": st.lists(inner)})
    ),
    max_leaves=5,
)
EVENTS = st.sampled_from([LOGOUT, f"{CAEP}session-revoked", f"{RISC}account-disabled", "urn:other"])
PAYLOADS = st.fixed_dictionaries(
    {}, optional={"subject": SUBJECTS | JSON, "event_timestamp": JSON, "change_type": JSON}
)
CLAIMS = st.fixed_dictionaries(
    {
        "iss": st.just(ISSUER),
        "aud": st.just("web") | JSON,
        "iat": st.just(NOW) | st.integers(NOW - 100, NOW),
        "events": st.dictionaries(EVENTS, PAYLOADS | JSON) | JSON,
    },
    optional={"sub": JSON, "sid": JSON, "nonce": JSON, "sub_id": SUBJECTS | JSON, "toe": JSON},
)


def notices_of(read, *arguments, **options):
    """Return the notices; a rejection has none. Anything else that is raised fails the test."""
    try:
        return read(*arguments, **options)
    except Rejected:
        return []


@given(claims=CLAIMS, body=st.fixed_dictionaries({"sub_id": SUBJECTS | JSON}) | JSON)
def test_any_claims_are_a_notice_or_a_rejection(claims, body):
    found = [
        *notices_of(read_logout, claims, issuer=ISSUER, audience=["web"]),
        *notices_of(read_security_event, claims, issuer=ISSUER),
        *notices_of(read_revocation, claims, body, issuer=ISSUER),
    ]
    for notice in found:
        assert datetime.fromtimestamp(notice.issued_before, UTC).timestamp() <= NOW + 1
        assert notice.subject.user is None or notice.subject.user["iss"] == ISSUER


@given(times=st.dictionaries(st.sampled_from(["exp", "nbf"]), JSON), iat=JSON)
def test_any_times_are_accepted_or_rejected(times, iat):
    for kind in (LOGOUT_TOKEN, SECURITY_EVENT_TOKEN):
        notices_of(check_times, times | {"iat": iat}, kind, now=NOW)


@pytest.mark.parametrize(
    ("claims", "is_accepted"),
    [
        ({"iat": NOW, "exp": NOW + 120}, True),
        ({"iat": NOW, "exp": NOW - 59}, True),
        ({"iat": NOW, "exp": NOW - 60}, False),
        ({"iat": NOW + 60, "exp": NOW + 180}, True),
        ({"iat": NOW + 61, "exp": NOW + 180}, False),
        ({"iat": NOW, "nbf": NOW + 61, "exp": NOW + 180}, False),
        ({"iat": NOW - 86_400, "exp": NOW + 10}, True),
        ({"iat": NOW - 86_460, "exp": NOW + 10}, False),
        ({"iat": NOW, "exp": True}, False),
    ],
)
def test_bounds_of_a_logout_token_s_life(claims, is_accepted):
    if is_accepted:
        check_times(claims, LOGOUT_TOKEN, now=NOW)
    else:
        with pytest.raises(Rejected):
            check_times(claims, LOGOUT_TOKEN, now=NOW)
