"""Messages of this site and a known version are read; all others are ignored, and counted."""

import pytest

from channels_token_auth.cluster import envelope
from channels_token_auth.cluster.envelope import VERSION, open_, seal
from channels_token_auth.cluster.freshness import Freshness
from channels_token_auth.cluster.local_nodes import process_id
from channels_token_auth.observability.events import MessageIgnored, subscribe
from tests.node.messages import sealed

MESSAGE = {"kind": "announce", "node": "n"}


def read(message):
    return open_(message, Freshness())


@pytest.fixture
def ignored():
    envelope.throttle.reset()
    seen = []
    end = subscribe(MessageIgnored, seen.append)
    yield lambda: [each.reason for each in seen]
    end()


@pytest.fixture
def another_site(settings):
    """Sign with another key for a while."""

    def sign(message, secret="another site's secret", **fields):
        own = settings.SECRET_KEY
        settings.SECRET_KEY = secret
        try:
            return sealed(message, **fields)
        finally:
            settings.SECRET_KEY = own

    return sign


def test_message_of_another_process_is_read(ignored):
    message = read(sealed(MESSAGE))
    assert {name: message[name] for name in MESSAGE} == MESSAGE
    assert ignored() == []


def test_own_message_is_dropped_silently(ignored, caplog):
    assert read(seal(MESSAGE)) is None
    assert ignored() == []
    assert not caplog.records


@pytest.mark.parametrize("secret", ["another site's secret", ""])
@pytest.mark.asvs("4.1.5")
def test_message_of_another_site_is_ignored_and_counted(secret, another_site, ignored):
    assert read(another_site(MESSAGE, secret or "x")) is None
    assert ignored() == ["foreign"]


@pytest.mark.parametrize(
    "change",
    [
        {"node": "m"},
        {"kind": "revoke"},
        {"extra": 1},
        {"version": VERSION + 1},
        {"process": "a third"},
        {"site": None},
        {"site": "ü"},
        {"site": 5},
        {"node": float("nan")},
        {"node": object()},
        {"site": {}},
    ],
)
@pytest.mark.asvs("4.1.5")
def test_message_that_was_changed_is_foreign(change, ignored):
    assert read({**sealed(MESSAGE), **change}) is None
    assert ignored() == ["foreign"]


@pytest.mark.parametrize("unsigned", [MESSAGE, {}, {"kind": "revoke", "revocations": []}])
@pytest.mark.asvs("4.1.5", "13.2.1")
def test_message_without_a_signature_is_foreign(unsigned, ignored):
    assert read(unsigned) is None
    assert ignored() == ["foreign"]


@pytest.mark.parametrize("version", [VERSION, VERSION - 1])
def test_this_version_reads_its_own_and_the_one_before(version, ignored):
    assert read(sealed(MESSAGE, version=version))
    assert ignored() == []


@pytest.mark.parametrize("version", [VERSION + 1, VERSION - 2, 1000, None, "1", [1]])
def test_unknown_version_is_ignored_and_counted(version, ignored):
    assert read(sealed(MESSAGE, version=version)) is None
    assert ignored() == ["version"]


def test_next_version_reads_this_one(monkeypatch, ignored):
    message = sealed(MESSAGE)
    monkeypatch.setattr(envelope, "VERSION", VERSION + 1)
    assert read(message)
    monkeypatch.setattr(envelope, "VERSION", VERSION + 2)
    assert read(message) is None


def test_ignored_messages_are_logged_once_for_each_reason(another_site, ignored, caplog):
    for _ in range(3):
        read(another_site(MESSAGE))
        read(sealed(MESSAGE, version=VERSION + 1))
    assert len(ignored()) == 6
    assert [each.levelname for each in caplog.records] == ["WARNING", "WARNING"]


def test_both_keys_are_read_while_the_secret_is_rotated(settings, another_site, ignored):
    settings.SECRET_KEY_FALLBACKS = ["new-key"]
    assert read(another_site(MESSAGE, "new-key"))
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new-key", [old]
    assert read(another_site(MESSAGE, old))
    assert ignored() == []


def test_messages_of_this_process_name_it():
    assert seal(MESSAGE)["process"] == process_id()
