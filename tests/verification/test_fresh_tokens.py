"""Fresh tokens are remembered for a moment: which of them were presented before a revocation."""

import threading
from datetime import UTC, datetime

import pytest

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.identity import UserKey
from channels_token_auth.verification.denylist import FirstVerified
from channels_token_auth.verification.denylist import fresh_tokens as module

ADA, BOB = UserKey(kind="auth.user", key="1"), UserKey(kind="auth.user", key="2")
NOW = 1000.0


@pytest.fixture
def clock(monkeypatch):
    times = [NOW]
    monkeypatch.setattr(module.time, "time", lambda: times[0])
    return lambda seconds: times.__setitem__(0, seconds)


@pytest.fixture
def seen(clock):
    return FirstVerified()


def token(token_id="t", issued_at=NOW, **fields):
    issued_at = None if issued_at is None else datetime.fromtimestamp(issued_at, UTC)
    return Authentication(
        backend=fields.pop("backend", "jwt"),
        token_id=token_id,
        location=Location.HEADER,
        issued_at=issued_at,
        **fields,
    )


def found(seen, moment=NOW + 0.5, user=ADA):
    return [each.token_id for each in seen.before(moment) if each.user == user]


def test_token_that_was_presented_before_is_found_and_one_presented_later_is_not(seen):
    seen.note(token("old"), ADA, at=NOW + 0.4)
    seen.note(token("new"), ADA, at=NOW + 0.6)
    assert found(seen) == ["old"]


def test_first_time_counts(seen):
    assert seen.note(token(), ADA, at=NOW + 0.4) == NOW + 0.4
    assert seen.note(token(), ADA, at=NOW + 0.9) == NOW + 0.4
    assert found(seen) == ["t"]


def test_tokens_of_others_are_not_found(seen):
    seen.note(token(), BOB, at=NOW)
    assert found(seen) == []


@pytest.mark.parametrize(
    "other", [{"backend": "other"}, {"issuer": "https://b"}, {"tenant": "b"}, {"token_id": "u"}]
)
def test_tokens_are_distinguished_by_all_that_names_them(seen, other):
    seen.note(token(**{"token_id": "t"} | other), ADA, at=NOW)
    assert seen.note(token(), ADA, at=NOW + 1) == NOW + 1


@pytest.mark.parametrize("issued_at", [None, NOW - 6])
def test_token_whose_time_of_issue_suffices_is_not_kept(seen, issued_at):
    assert seen.note(token(issued_at=issued_at), ADA, at=NOW) == NOW
    assert found(seen, NOW + 0.5) == []


def test_token_of_an_earlier_second_is_left_to_the_rule(seen):
    seen.note(token(issued_at=NOW - 1), ADA, at=NOW)
    assert found(seen) == []


def test_token_from_the_future_is_found_until_its_time_has_come(seen, clock):
    seen.note(token(issued_at=NOW + 30), ADA, at=NOW)
    clock(NOW + 20)
    seen.note(token("other"), BOB, at=NOW)
    assert found(seen, NOW + 20) == ["t"]


def test_token_is_forgotten_after_five_seconds(seen, clock):
    seen.note(token(), ADA, at=NOW)
    clock(NOW + 5.1)
    seen.note(token("other", NOW + 5), BOB, at=NOW + 5.1)
    assert found(seen) == []


def test_number_of_tokens_is_bounded(seen, monkeypatch):
    monkeypatch.setattr(module, "MAX_KEPT", 3)
    for number in range(9):
        seen.note(token(str(number)), ADA, at=NOW)
    assert found(seen) == ["6", "7", "8"]


@pytest.mark.asvs("15.4.1")
def test_threads_may_note_and_look_at_once(seen):
    def note(thread):
        for number in range(50):
            seen.note(token(f"{thread} {number}"), ADA, at=NOW)
            found(seen)

    threads = [threading.Thread(target=note, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found(seen)) == 200
