"""Key servers of issuers: how rarely they are queried, and which answers are accepted."""

import threading

import jwt
import pytest

from channels_token_auth import CloseReason
from channels_token_auth.backends.contract import Undecided
from channels_token_auth.backends.sources.jwks.key_server import (
    ABSENT_SECONDS,
    INTERVAL,
    MAX_ABSENT,
    MAX_BYTES,
    KeyServer,
)
from channels_token_auth.observability.events import OutageBegan, OutageEnded
from tests.backends.jwks_server import jwks_server
from tests.backends.jwt_keys import ec_keys, jwk, rsa_keys
from tests.plugins.state import wait_for_requests

LIFETIME, STALE = 300, 3600
TOKEN = jwt.encode({"iss": "https://id"}, "k" * 32, "HS256")
FIRST = {"keys": [jwk(rsa_keys()[1], kid="1")]}
SECOND = {"keys": [jwk(rsa_keys()[1], kid="2")]}


@pytest.fixture
def server():
    with jwks_server(FIRST) as running:
        yield running


@pytest.fixture
def keys(server, steady):
    return keys_of(server.url)


def keys_of(url, **options):
    given = {"algorithms": ["RS256", "ES256"], "lifetime": LIFETIME, "stale": STALE, "timeout": 60}
    return KeyServer(url, **(given | options))


def ids(keys, key_id=None):
    return [key.key_id for key in keys.known(key_id)]


def publish(*entries):
    return {"keys": list(entries)}


def ask(keys, key_id):
    """Look for the key of some token that names it."""
    return keys.look_for(key_id, TOKEN)


def look_for(keys, key_id):
    """The verdict on a token with that key, once nothing is under way any more."""
    verdict = ask(keys, key_id)
    if isinstance(verdict, Undecided):
        verdict.settled.result(60)
        if ids(keys, key_id):
            return "found"
        verdict = ask(keys, key_id)
    return verdict and verdict.code


def fetched(keys):
    """The server, whose keys have been fetched."""
    assert look_for(keys, "1") == "found"
    return keys


UNAVAILABLE = CloseReason.UNAVAILABLE


def test_known_key_never_waits_for_the_server(server, steady, keys):
    fetched(keys)
    server.is_open.clear()
    for steady.now in (1000 + LIFETIME, 1000 + LIFETIME + 1):
        assert ids(keys, "1") == ["1"]


def test_unknown_key_is_undecided_until_it_is_fetched(server, keys):
    assert ids(keys, "1") == []
    verdict = ask(keys, "1")
    assert (type(verdict), verdict.code, verdict.retry_after) == (Undecided, UNAVAILABLE, 1)
    verdict.settled.result(60)
    assert ids(keys, "1") == ["1"]


def test_keys_are_fetched_once_in_their_lifetime(server, steady, keys):
    fetched(keys)
    steady.now += LIFETIME
    assert ids(keys, "1") == ["1"]
    assert len(server.asked) == 1


def test_key_that_is_withdrawn_is_gone_after_the_lifetime(server, steady, keys):
    fetched(keys)
    server.document = SECOND
    steady.now += LIFETIME + 1
    assert ids(keys, "1") == ["1"], "it is refreshed in the background"
    assert look_for(keys, "2") == "found"
    assert ids(keys) == ["2"]


def test_key_that_is_missing_in_keys_fetched_later_is_none(server, keys):
    assert look_for(keys, "2") is None
    assert look_for(keys, "2") is None
    assert len(server.asked) == 1


def test_key_published_after_the_last_fetch_is_never_called_missing(server, steady, keys):
    fetched(keys)
    server.document = SECOND
    steady.now += INTERVAL - 3
    verdict = ask(keys, "2")
    assert (verdict.code, verdict.retry_after) == (UNAVAILABLE, 3)
    steady.now += 3
    assert look_for(keys, "2") == "found"


def test_unknown_keys_cost_one_fetch_in_each_interval(server, steady, keys):
    fetched(keys)
    verdicts = []
    for number in range(30):
        steady.now += 1
        verdicts.append(look_for(keys, f"unknown {number}"))
    assert set(verdicts) == {UNAVAILABLE, None}
    assert len(server.asked) == 4


def test_missing_key_is_looked_for_again_after_a_while(server, steady, keys):
    assert look_for(keys, "2") is None
    server.document = SECOND
    steady.now += ABSENT_SECONDS + 1
    assert look_for(keys, "2") == "found"


def test_missing_keys_are_remembered_within_bounds(server, steady, keys):
    fetched(keys)
    for number in range(MAX_ABSENT + 1):
        ask(keys, f"unknown {number}")
    steady.now += INTERVAL
    assert look_for(keys, f"unknown {MAX_ABSENT}") is None
    steady.now += 1
    assert look_for(keys, "unknown 0") is UNAVAILABLE, "it was forgotten"


def test_token_without_a_key_id_may_be_of_any_key(server, keys):
    server.document = publish(*FIRST["keys"], *SECOND["keys"])
    fetched(keys)
    assert ids(keys) == ["1", "2"]


def test_keys_outlive_their_server_by_the_stale_seconds(server, steady, keys):
    fetched(keys)
    server.status = 500
    steady.now += LIFETIME + STALE
    assert ids(keys, "1") == ["1"]
    steady.now += 1
    assert (ids(keys, "1"), look_for(keys, "1")) == ([], UNAVAILABLE)


def test_unknown_key_is_not_called_missing_while_the_server_is_away(server, steady, keys):
    fetched(keys)
    server.status = 500
    for _ in range(3):
        steady.now += ABSENT_SECONDS
        assert look_for(keys, "2") is UNAVAILABLE
    assert ids(keys, "1") == ["1"]


def test_server_that_is_away_is_asked_again_after_a_pause(server, steady, keys):
    server.status = 500
    assert [look_for(keys, "1") for _ in range(3)] == [UNAVAILABLE] * 3
    assert len(server.asked) == 1
    server.status = 200
    steady.now += INTERVAL
    assert look_for(keys, "1") == "found"


def test_server_that_comes_to_no_end_is_left_at_the_timeout(server):
    server.is_open.clear()
    keys = keys_of(server.url, timeout=0.3)
    assert look_for(keys, "1") is UNAVAILABLE
    wait_for_requests()  # or each fetch of a slow server would leave a thread behind


def test_fetch_that_was_lost_in_a_fork_is_started_again(server, steady, monkeypatch):
    keys = keys_of(server.url, timeout=2)  # it counts as lost after this time
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda thread: None)
        assert not ask(keys, "1").settled.done()
    steady.now += INTERVAL
    assert look_for(keys, "1") == "found"


def test_known_keys_are_good_although_no_thread_can_be_started(server, steady, keys, monkeypatch):
    fetched(keys)
    steady.now += LIFETIME + 1
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_more_threads)
        assert ids(keys, "1") == ["1"]
        assert look_for(keys, "2") is UNAVAILABLE
    server.document = SECOND
    steady.now += INTERVAL
    assert look_for(keys, "2") == "found"


def _no_more_threads(_):
    raise RuntimeError("can't start new thread")


def test_withdrawn_keys_are_known_by_their_thumbprints(server, steady, keys):
    assert keys.withdrawn({"any"}) is None, "before the first fetch, nothing is known"
    (key,) = fetched(keys).known("1")
    assert keys.withdrawn({key.thumbprint, "gone"}) == {"gone"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.asvs("15.3.2")
def test_redirect_is_not_followed(server, keys, status):
    with jwks_server(FIRST) as other:
        server.status, server.headers = status, {"Location": other.url}
        assert look_for(keys, "1") is UNAVAILABLE
        assert other.asked == []


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        [],
        "keys",
        {},
        {"keys": None},
        {"keys": 7},
        {"keys": []},
        {"keys": ["key"]},
        publish({"kty": "RSA", "n": "AQAB", "kid": "1"}),
        publish({"kty": ["RSA"], "kid": "1"}),
        publish({"kty": "oct", "k": "c2VjcmV0", "kid": "1"}),
        publish(jwk(rsa_keys()[1], kid="1", use="enc")),
        publish(jwk(rsa_keys()[1], kid="1", alg="PS512")),
        b" " * MAX_BYTES + b"{}",
    ],
)
def test_answer_without_a_usable_key_is_none(server, keys, document):
    server.document = document
    assert look_for(keys, "1") is UNAVAILABLE


def test_bad_answer_costs_no_good_key(server, steady, keys):
    fetched(keys)
    server.document = b"rubbish"
    steady.now += LIFETIME + 1
    assert look_for(keys, "2") is UNAVAILABLE
    assert ids(keys, "1") == ["1"]


def test_key_is_for_the_algorithm_it_names_or_else_for_those_of_its_type(server, keys):
    server.document = publish(
        jwk(rsa_keys()[1], kid="named", alg="RS256"),
        jwk(ec_keys()[1], "ES256", kid="open"),
        {"kty": "unheard of", "kid": "new"},
    )
    assert look_for(keys, "named") == "found"
    assert [each.algorithms for each in keys.known(None)] == [("RS256",), ("ES256",)]


@pytest.mark.asvs("16.3.4")
def test_failure_is_logged_with_its_reason(server, keys, caplog):
    server.status = 503
    assert look_for(keys, "1") is UNAVAILABLE
    (record,) = caplog.records
    assert record.name == "channels_token_auth"
    assert "503" in record.getMessage()


def test_outage_is_emitted_once_when_it_begins_and_when_it_ends(server, steady, outage_events):
    keys = keys_of(f"{server.url}?key=s3cret")
    for server.status in (503, 500, 200, 200):
        look_for(keys, "1")
        steady.now += INTERVAL + LIFETIME
    assert [(type(each), each.service, each.name) for each in outage_events] == [
        (OutageBegan, "keys", server.url),
        (OutageEnded, "keys", server.url),
    ]
    assert "503" in outage_events[0].error


def test_outage_of_one_query_is_not_ended_by_another(server, steady, outage_events):
    first, second = keys_of(f"{server.url}?p=a"), keys_of(f"{server.url}?p=b")
    for keys, server.status in ((first, 503), (second, 200)):
        look_for(keys, "1")
    assert [(type(each), each.name) for each in outage_events] == [(OutageBegan, server.url)]
    steady.now += INTERVAL + LIFETIME
    look_for(first, "1")
    assert [type(each) for each in outage_events] == [OutageBegan, OutageEnded]


@pytest.mark.parametrize("user", ["u:s3cret@", "s3cret@", "u:s3/cret@", "u:s3?cret@", "u:s3#cret@"])
def test_outage_of_a_url_with_a_password_does_not_show_it(user, caplog, outage_events):
    url = f"https://{user}id.example/jwks?key=s3cret#s3cret"
    assert look_for(keys_of(url), "1") is UNAVAILABLE
    (began,) = outage_events
    assert "s3" not in caplog.text + began.name + began.error
    assert "cret" not in caplog.text + began.name


def test_secret_that_a_server_publishes_is_none(server):
    server.document = publish({"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "1"})
    assert look_for(keys_of(server.url, algorithms=["HS256"]), "1") is UNAVAILABLE


def test_key_is_shown_by_no_repr(keys):
    (key,) = fetched(keys).known("1")
    assert "RSA" not in repr(key)


@pytest.mark.parametrize(
    ("issuers", "raw", "slug"),
    [
        (["https://other"], TOKEN, "wrong_issuer"),
        ([], "e30.bm90IEpTT04.", "not_a_jwt"),
        ([], "not a jwt", "not_a_jwt"),
    ],
)
def test_token_that_cannot_be_of_these_keys_costs_no_fetch(server, issuers, raw, slug):
    verdict = keys_of(server.url, issuers=issuers).look_for("1", raw)
    assert (verdict.detail.slug, server.asked) == (slug, [])


def test_token_of_one_of_the_issuers_is_looked_for(server):
    keys = keys_of(server.url, issuers=["https://other", "https://id"])
    assert isinstance(ask(keys, "1"), Undecided)
