"""Replaced tokens in the cache: what a sweep learns of them, and what a failing cache costs."""

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification.replaced import ReplacedTokens
from tests.verification.odd_caches import Away, cache

GONE = TokenAuthError(CloseReason.TOKEN_REVOKED)


def grant(token_id, backend="drf"):
    authentication = Authentication(backend=backend, token_id=token_id, location=Location.HEADER)
    return Grant(user_pk=1, authentication=authentication)


def codes(verdicts):
    return [verdict and verdict.code for verdict in verdicts]


def test_token_that_is_gone_and_was_replaced_is_expired():
    replaced = ReplacedTokens("default")
    replaced.note([("drf", "a")])
    grants = [grant("a"), grant("a", "knox"), grant("b"), grant("a")]
    inactive = TokenAuthError(CloseReason.USER_INACTIVE)
    verdicts = replaced.apply(grants, [None, GONE, GONE, inactive])
    assert codes(verdicts) == [
        CloseReason.TOKEN_EXPIRED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.TOKEN_REVOKED,
        CloseReason.USER_INACTIVE,
    ]


def test_another_site_on_the_same_cache_replaces_nothing(settings):
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another site's"
    ReplacedTokens("default").note([("drf", "c")])
    settings.SECRET_KEY = key
    assert codes(ReplacedTokens("default").apply([grant("c")], [GONE])) == [GONE.code]


def test_rotation_of_the_secret_key_forgets_nothing(settings):
    ReplacedTokens("default").note([("drf", "d")])
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new one"
    verdicts = ReplacedTokens("default").apply([grant("d")], [GONE])
    assert codes(verdicts) == [CloseReason.TOKEN_EXPIRED]


def test_cache_that_fails_costs_the_distinction_only(settings, caplog):
    settings.CACHES = cache(Away)
    replaced = ReplacedTokens("default")
    replaced.note([("drf", "e")])
    assert codes(replaced.apply([grant("e")], [GONE])) == [CloseReason.TOKEN_REVOKED]
    assert len(caplog.records) == 2
