"""A cache that does not answer is an outage, whoever asks it first; and it ends when it answers."""

import pytest

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.observability.outages import current_outages
from channels_token_auth.verification.denylist import CacheUnavailable, Denylist
from channels_token_auth.verification.tickets import Tickets
from tests.node.members import FakeMember
from tests.verification.odd_caches import Away, Deaf, cache

AUTHENTICATION = Authentication(backend="jwt", token_id="t", location=Location.HEADER)


@pytest.fixture
def away(settings, monkeypatch):
    settings.CACHES = cache(Away)
    monkeypatch.setattr(Away, "is_away", True)
    return lambda is_away: monkeypatch.setattr(Away, "is_away", is_away)


def denylist():
    return Denylist("default", denylist_seconds=60)


def issue():
    user = FakeMember().user
    tickets = Tickets([], cache="default", limit=8)
    return tickets.issue(Identity(user=user, authentication=AUTHENTICATION), origin=None)


def redeem():
    ticket = Credential(location=Location.TICKET, secret=Secret("t" * 43))
    return Tickets([], cache="default").look_up([ticket])


def find():
    return denylist().find([Grant(user_pk=1, user_kind="u", authentication=AUTHENTICATION)])


def deny():
    denylist().deny_token("t", backend="jwt")


def check():
    denylist().check_epoch()


USES = [issue, redeem, find, deny, check]


def down():
    """Return the outages of caches: other tests may leave others in this process."""
    return [(each.service, each.name) for each in current_outages() if each.service == "cache"]


@pytest.mark.parametrize("use", USES)
def test_whoever_finds_it_down_reports_it(away, use):
    with pytest.raises((CacheUnavailable, ConnectionError)):
        use()
    assert down() == [("cache", "default")]


@pytest.mark.parametrize("use", USES)
def test_whoever_finds_it_up_again_reports_that(away, use):
    with pytest.raises(CacheUnavailable):
        check()
    away(False)
    use()
    assert down() == []


def test_cache_that_fails_in_silence_is_down_too(settings):
    settings.CACHES = cache(Deaf)
    with pytest.raises(CacheUnavailable):
        deny()
    assert down() == [("cache", "default")]
