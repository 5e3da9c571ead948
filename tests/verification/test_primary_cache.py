"""A cache with replicas, as Django's: what was written a moment ago is read from the primary."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.cache import SessionStore
from django.core.cache import caches

from channels_token_auth.backends.primary_cache import primary_cache
from channels_token_auth.backends.sources.sessions.engines import Sessions
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Grant, Identity
from channels_token_auth.verification.denylist import Denylist
from channels_token_auth.verification.replaced import ReplacedTokens
from channels_token_auth.verification.tickets import Found, Tickets
from tests.services import redis

from .backends import FakeBackend
from .odd_caches import Remote, cache

REDIS = "django.core.cache.backends.redis.RedisCache"
TOKEN = Authentication(
    backend="fake", token_id="t", location=Location.HEADER, issued_at=datetime.now(UTC)
)
GRANT = Grant(user_pk=1, authentication=TOKEN)


class Packaged(Remote):
    """A cache as packages have it: its client decides what several servers are."""

    def __init__(self, servers, params):
        super().__init__(repr(servers), params)
        self.servers = servers


Packaged.__module__ = "django_redis.cache"


class OfSite(Packaged):
    """The site has derived its own."""


class DefaultClient:
    """Reads from replicas."""


class SentinelClient(DefaultClient):
    """Looks up the replicas of a text."""


class ShardClient(DefaultClient):
    """Spreads the keys."""


class OwnClient(ShardClient):
    """The site has derived its own: its name does not say so."""


@pytest.fixture(scope="module")
def servers():
    """Two servers that do not replicate: the second lags for ever."""
    with redis() as primary, redis() as replica:
        yield [primary.url, replica.url]


@pytest.fixture(params=[list, ",".join, ";".join], ids=["list", "comma", "semicolon"])
def lagging(request, servers, settings):
    settings.CACHES = cache(REDIS, LOCATION=request.param(servers), KEY_PREFIX="site")
    yield settings
    primary_cache("default").clear()


@pytest.mark.usefixtures("lagging")
def test_ticket_is_redeemed_at_once():
    tickets = Tickets([FakeBackend()], cache="default", limit=2)
    ticket = tickets.issue(Identity(user=User(pk=1), authentication=TOKEN), origin=None)
    credential = Credential(location=Location.TICKET, secret=Secret(ticket))
    (found,) = tickets.look_up([credential])
    assert isinstance(found, Found)
    assert tickets.use_up(found, "verdict") == "verdict"


@pytest.mark.usefixtures("lagging")
def test_denial_is_found_at_once_and_nothing_looks_wiped():
    denylist = Denylist("default", denylist_seconds=60)
    denylist.deny(TOKEN)
    denylist.check_epoch()
    other = replace(GRANT, authentication=replace(TOKEN, token_id="other"))
    assert denylist.find([GRANT, other]) == [CloseReason.TOKEN_REVOKED, None]


@pytest.mark.usefixtures("lagging")
def test_replaced_token_is_known_at_once():
    replaced = ReplacedTokens("default")
    replaced.note([("fake", "t")])
    (error,) = replaced.apply([GRANT], [None])
    assert error.code.value == "token_expired"


def test_session_in_the_cache_is_found_at_once(lagging):
    lagging.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    session = SessionStore()
    session["a"] = 1
    session.save(must_create=True)
    assert Sessions().find([session.session_key])


@pytest.mark.parametrize("location", ["a,b", "a;b", "", Path("/tmp")])
def test_servers_of_another_cache_are_no_replicas(location, settings):
    """Memcached spreads the keys over its servers."""
    settings.CACHES = cache(Remote, LOCATION=location)
    assert primary_cache("default") is caches["default"]


def test_cache_with_one_server_is_itself(servers, settings):
    settings.CACHES = cache(REDIS, LOCATION=servers[0])
    assert primary_cache("default") is caches["default"]
    assert primary_cache("default") is primary_cache("default")


def packaged(kind, client, location):
    options = {"CLIENT_CLASS": f"{__name__}.{client.__name__}"}
    return cache(f"{__name__}.{kind.__name__}", LOCATION=location, OPTIONS=options)


@pytest.mark.parametrize("kind", [Packaged, OfSite])
@pytest.mark.parametrize(
    ("client", "location"),
    [
        (DefaultClient, ["redis://a", "redis://b"]),
        (DefaultClient, "redis://a,redis://b"),
        (SentinelClient, "redis://a"),
        (SentinelClient, ["redis://a", "redis://b"]),
    ],
)
def test_package_reads_from_its_primary(kind, client, location, settings):
    settings.CACHES = packaged(kind, client, location)
    assert primary_cache("default").servers == ["redis://a"]
    assert primary_cache("default") is primary_cache("default")  # another would connect anew


@pytest.mark.parametrize("kind", [Packaged, OfSite])
@pytest.mark.parametrize("client", [ShardClient, OwnClient])
def test_shards_are_no_replicas(kind, client, settings):
    """Each has other keys: a session in the second one would not be found in the first."""
    settings.CACHES = packaged(kind, client, ["redis://a", "redis://b"])
    assert primary_cache("default") is caches["default"]
