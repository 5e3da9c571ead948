"""The settings: what each may be, what is said of a wrong one, and when a change is seen."""

from dataclasses import fields

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_token_auth import conf
from channels_token_auth.conf.identity_providers import ProviderEndpoint
from channels_token_auth.conf.table import SETTINGS, SITE_WIDE
from channels_token_auth.core.credentials import Location, Secret
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy, RefusalMode
from channels_token_auth.core.lifecycle import Rules
from channels_token_auth.core.limits import (
    ConnectionLimits,
    LimitPolicy,
    Limits,
    Rate,
    WaitingLimits,
)
from channels_token_auth.observability.event_names import EventNames
from tests.patience import READING

DRF = "channels_token_auth.backends.drf.DRFTokenBackend"
BACKENDS = [{"BACKEND": DRF}]
RATES = (
    *(5, "", "30", "30/", "/min", "0/min", "-1/min", "3.5/s", "30/w"),
    # They begin with the letter of a period. As a minute, a month would allow 43,200 times as much.
    *("30/month", "30/mo", "30/milliseconds", "30/decade", "30/min ", "30 per min", "30/10min"),
    "1234567890123456/min",  # `int` raises for very many digits
)
NUMBERS = [True, 0, -1, -0.5, "5", [], float("nan"), float("inf")]
NAMES = [None, 5, "", "a b", "a=b", "a;b", "a&b", "a\n", b"token"]
PROVIDER = {
    "ISSUER": "https://sso.test",
    "AUDIENCE": "web",
    "JWKS_URL": "https://sso.test/certs",
    "ALGORITHMS": ["RS256"],
    "BACKENDS": ["jwt"],
    "ENDPOINTS": ["backchannel-logout"],
}


def wrong(setting, path, *values):
    """Each value, with the setting and the place in it that the problem names."""
    return [pytest.param({setting: each}, path, id=f"{setting}={each!r}") for each in values]


def wrong_entries(setting, path, key, *values):
    """Dictionaries that have one of the values under this key."""
    return wrong(setting, f'{path}["{key}"]', *({key: each} for each in values))


def wrong_backends(key, *values):
    return wrong("BACKENDS", f'[0]["{key}"]', *([{"BACKEND": DRF, key: each}] for each in values))


def wrong_providers(key, *values):
    entries = ([PROVIDER | {key: each}] for each in values)
    return wrong("IDENTITY_PROVIDERS", f'[0]["{key}"]', *entries)


def without(key):
    return {name: value for name, value in PROVIDER.items() if name != key}


WRONG = [
    *wrong("BACKENDS", "", None, 5, (), [], {}, {"BACKEND": DRF}, "a.b"),
    *wrong("BACKENDS", "[0]", [DRF], [None]),
    *wrong("BACKENDS", '[0]["BACKEND"]', [{}], [{"OPTIONS": {}}], [{"BACKEND": 5}]),
    *wrong("BACKENDS", '[1]["OPTION"]', [*BACKENDS, {"BACKEND": DRF, "OPTION": {}}]),
    *wrong_backends("OPTIONS", None, 5, "a", [1], {1: 2}),
    *wrong_backends("SCOPES", 5, len, ["chat:read"], ""),
    *wrong_backends("DELEGATED", 0, "False", []),
    *wrong("LOCATIONS", "", None, 5, True, [], "header", {"header": 1}),
    *wrong("LOCATIONS", "[0]", ["Header"], [None], [["header"]]),
    *wrong("LOCATIONS", "[1]", ["header", "body"]),
    *wrong("ANONYMOUS", "", None, 0, 1, "False"),
    *wrong("SCOPES", "", None, 5, True, "chat:read", b"chat", {"chat": 1}),
    *wrong("SCOPES", "[0]", [""], [None], [["chat:read"]]),
    *wrong("SCOPES", "[1]", ["chat:read", 5]),
    *wrong("REFUSAL", "", None, "", "AUTO", "drop", 5, []),
    *wrong("ALLOWED_ORIGINS", "", 5, True, "https://a.test", {}),
    *wrong("ALLOWED_ORIGINS", "[0]", ["*"], ["a.test"], [None], ["https://a.test/"]),
    *wrong("ALLOWED_ORIGINS", "[1]", ["https://a.test", "a.test"]),
    *wrong("MAX_TOKEN_BYTES", "", None, 0.5, *NUMBERS),
    *wrong("AUTH_TIMEOUT", "", None, *NUMBERS),
    *wrong("VERIFY_TIMEOUT", "", None, *NUMBERS),
    *wrong("VERIFIED_CACHE_SECONDS", "", None, False, True, -1, "5", float("nan"), float("inf")),
    *wrong("MAX_CONNECTION_AGE", "", *NUMBERS),
    *wrong("EXPIRY_WARNING", "", None, *NUMBERS),
    *wrong("SWEEP_INTERVAL", "", None, *NUMBERS),
    *wrong("SWEEP_GRACE", "", *NUMBERS),
    *wrong("CHANNEL_LAYER", "", None, 5, "", ["default"]),
    *wrong("CACHE", "", None, 5, "", ["default"]),
    *wrong("TENANTS", "", 5, "", ["a.B"]),
    *wrong("METRICS_TOKEN", "", 5, "", "too short", b"k" * 32, "ä" * 32),
    *wrong("AUDIT_EVENT_NAMES", "", None, "", "OWASP", 5, ["owasp"]),
    *wrong("DENYLIST_SECONDS", "", None, *NUMBERS),
    *wrong("TRUSTED_PROXIES", "", None, True, -1, 1.0, "1", [], ["10.0.0.0/8"], "10.0.0.1"),
    *wrong("CONNECTIONS_SCOPES", "", [], (), "connections", 5),
    *wrong("CONNECTIONS_SCOPES", "[0]", [""], [None]),
    *wrong("QUERY_NAME", "", *NAMES, "ticket"),
    *wrong("COOKIE_NAME", "", *NAMES),
    *wrong("BACKEND", "", None),
    *wrong("TOKEN", "", None),
    *wrong("LIMITS", "", None, 5, "30/min", []),
    *wrong_entries("LIMITS", "", "FAILURE", "30/min"),
    *(
        each
        for key in ("FAILURES", "HANDSHAKES", "MESSAGES", "BYTES")
        for each in wrong_entries(*("LIMITS", "", key), *RATES)
    ),
    *wrong_entries("LIMITS", "", "TICKETS", -1, 1.5, True, "8"),
    *wrong_entries("LIMITS", "", "WAITING", None, 50, []),
    *wrong("LIMITS", '["WAITING"]["node"]', *({"WAITING": {"node": n}} for n in (-1, 1.5, "1"))),
    *wrong("LIMITS", '["WAITING"]["adress"]', {"WAITING": {"adress": 50}}),
    *wrong("LIMITS", '["CONNECTIONS"]["policy"]', {"CONNECTIONS": {"policy": "oldest"}}),
    *wrong("LIMITS", '["CONNECTIONS"]["user"]', {"CONNECTIONS": {"user": "5"}}),
    *wrong_entries("LIMITS", "", "IDLE", *NUMBERS),
    *wrong_entries("LIMITS", "", "STORAGE", 5, ""),
    *wrong("IDENTITY_PROVIDERS", "", None, {}, PROVIDER, "https://sso.test"),
    *wrong("IDENTITY_PROVIDERS", "[0]", ["https://sso.test"], [without("JWKS_URL")]),
    *wrong("IDENTITY_PROVIDERS", "[0]", [PROVIDER | {"KEY": "k"}], [PROVIDER | {"KEYS": ["k"]}]),
    *wrong("IDENTITY_PROVIDERS", "[0]", [PROVIDER | {"USER": "a.f", "USER_CLAIM": "sub"}]),
    *(
        each
        for key in ("ISSUER", "AUDIENCE", "ALGORITHMS", "BACKENDS", "ENDPOINTS")
        for each in wrong("IDENTITY_PROVIDERS", f'[0]["{key}"]', [without(key)])
    ),
    *wrong("IDENTITY_PROVIDERS", '[0]["ISSUERS"]', [PROVIDER | {"ISSUERS": "https://sso.test"}]),
    *wrong_providers("ISSUER", None, "", 5),
    *wrong_providers("AUDIENCE", None, "", []),
    *wrong_providers("KEYS", "k", None),
    *wrong_providers("USER", 5, ""),
    *wrong_providers("USER_CLAIM", None, ""),
    *wrong_providers("REQUIRE_TYP", None, 0),
    *wrong("IDENTITY_PROVIDERS", '[0]["ENDPOINTS"][0]', [PROVIDER | {"ENDPOINTS": ["logout"]}]),
]

STRICT = frozenset({*Location} - {Location.QUERY, Location.COOKIE})


@pytest.fixture
def site(settings):
    """A site that has set nothing but its backend and its hosts."""
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS}
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.DEBUG = False
    return settings


@pytest.mark.parametrize(("given", "path"), WRONG)
def test_wrong_setting_is_named_with_the_place_in_it(given, path):
    (problem,) = conf.problems({"BACKENDS": BACKENDS} | given)
    assert (problem.name, problem.path) == (*given, path)


@pytest.mark.parametrize(("given", "path"), WRONG)
def test_wrong_middleware_argument_is_refused_and_named(site, given, path):
    arguments = {key.lower(): value for key, value in given.items()}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.override(arguments)
    (name,) = arguments
    place = "" if name.upper() in SITE_WIDE else path
    assert str(caught.value).startswith(f"TokenAuthMiddleware({name}=…){place} ")


@pytest.mark.parametrize("name", sorted(SITE_WIDE))
def test_setting_of_the_whole_site_is_refused_as_an_argument(site, name):
    """A route with a cache of its own, for example, would accept revoked tokens."""
    site.CHANNELS_TOKEN_AUTH |= {"ANONYMOUS": False}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.override({name.lower(): SETTINGS[name][0], "refusal": "close"})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"TokenAuthMiddleware({name.lower()}=…) ")


def test_each_setting_belongs_to_a_route_or_to_the_site():
    """A new setting has to be considered: a route that cannot have its own must not ignore one."""
    assert SETTINGS.keys() - SITE_WIDE == {
        *("ALLOWED_ORIGINS", "ANONYMOUS", "AUTH_TIMEOUT", "BACKENDS", "COOKIE_NAME"),
        *("EXPIRY_WARNING", "LIMITS", "LOCATIONS", "MAX_CONNECTION_AGE", "MAX_TOKEN_BYTES"),
        *("QUERY_NAME", "REFUSAL", "SCOPES", "TRUSTED_PROXIES", "VERIFIED_CACHE_SECONDS"),
        "VERIFY_TIMEOUT",
    }


def test_wrong_setting_is_named_where_an_argument_is_right(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "LIMITS": {"WAITING": {"node": "1"}}}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.override({"anonymous": True})
    assert str(caught.value).startswith('CHANNELS_TOKEN_AUTH["LIMITS"]["WAITING"]["node"] is "1": ')


@pytest.mark.parametrize(
    ("given", "suggestion"),
    [
        ({"LOCATION": ["header"]}, "LOCATIONS"),
        ({"anonymous": True}, "ANONYMOUS"),
        ({"LIMITS": {"TICKET": 1}}, "TICKETS"),
        ({"LIMITS": {"WAITING": {"adress": 1}}}, "address"),
        ({"LOCATIONS": ["Header"]}, "header"),
        ({"REFUSAL": "closed"}, "close"),
        ({"BACKENDS": [{"BACKEND": DRF, "OPTION": {}}]}, "OPTIONS"),
        ({"ALLOWED_ORIGINS": ["https://a.test/"]}, "https://a.test"),
        ({"ALLOWED_ORIGINS": ["a.test"]}, "https://a.test"),
    ],
)
def test_what_was_meant_is_suggested(given, suggestion):
    (problem,) = conf.problems({"BACKENDS": BACKENDS} | given)
    assert f'"{suggestion}"' in problem.sentence


def test_name_that_resembles_none_is_given_all():
    (problem,) = conf.problems({"BACKENDS": BACKENDS, "XYZ": 1})
    assert all(name in problem.sentence for name in SETTINGS)


@pytest.mark.parametrize(
    "given",
    [
        {"BACKENDS": {"BACKEND": DRF, "OPTIONS": {"key": "c4n4ry"}}},
        {"BACKENDS": [{"BACKEND": DRF, "OPTIONS": "c4n4ry"}]},
        {"IDENTITY_PROVIDERS": PROVIDER | {"KEY": "c4n4ry"}},
        {"IDENTITY_PROVIDERS": [PROVIDER | {"KEYS": "c4n4ry"}]},
        {"IDENTITY_PROVIDERS": [PROVIDER | {"KEY": ["c4n4ry"]}]},
    ],
)
def test_value_that_may_hold_a_key_is_not_shown(given):
    (problem,) = conf.problems({"BACKENDS": BACKENDS} | given)
    assert "c4n4ry" not in str(problem)


def test_long_value_is_shortened():
    (problem,) = conf.problems({"BACKENDS": BACKENDS, "REFUSAL": "x" * 10_000})
    assert len(str(problem)) < 300


def test_every_wrong_setting_is_reported_at_once():
    given = {"ANONYMOUS": 1, "REFUSAL": "drop", "EXTRA": 1}
    assert {each.name for each in conf.problems(given)} == {"BACKENDS", *given}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.override({name.lower(): value for name, value in given.items()})
    assert len(str(caught.value).splitlines()) == 3


ALL_WRONG = {
    "LOCATIONS": (["header", "cokie", "tiket"], ["[1]", "[2]"]),
    "ALLOWED_ORIGINS": (["https://a/", "self", "b"], ["[0]", "[2]"]),
    "SCOPES": (["", "chat", 7], ["[0]", "[2]"]),
    "BACKENDS": ([{}, "x", {"BACKEND": ""}], ['[0]["BACKEND"]', "[1]", '[2]["BACKEND"]']),
    "LIMITS": (
        {"XYZ": 1, "MESSAGES": "x", "WAITING": {"address": -1, "node": "x"}},
        ['["XYZ"]', '["WAITING"]["address"]', '["WAITING"]["node"]', '["MESSAGES"]'],
    ),
    "IDENTITY_PROVIDERS": (
        [{"ISSUER": "i", "AUDIENCE": ["a", ""], "ALGORITHMS": "A", "BACKENDS": "b"}, {}],
        [
            '[0]["AUDIENCE"][1]',
            '[0]["ENDPOINTS"]',
            *(f'[1]["{key}"]' for key in ("ISSUER", "AUDIENCE", "ALGORITHMS")),
            *(f'[1]["{key}"]' for key in ("BACKENDS", "ENDPOINTS")),
        ],
    ),
}


@pytest.mark.parametrize(("name", "case"), ALL_WRONG.items(), ids=ALL_WRONG)
def test_every_wrong_entry_of_a_setting_is_reported_at_once(name, case):
    value, paths = case
    found = conf.problems({"BACKENDS": BACKENDS, name: value})
    assert [(each.name, each.path) for each in found] == [(name, path) for path in paths]


@pytest.mark.parametrize("given", [None, [], "x", 5], ids=repr)
def test_settings_that_are_no_dictionary_are_reported(site, given):
    site.CHANNELS_TOKEN_AUTH = given
    (problem,) = conf.problems()
    assert (problem.name, problem.path) == ("", "")
    with pytest.raises(ImproperlyConfigured, match=r"^CHANNELS_TOKEN_AUTH "):
        conf.override({"anonymous": True})


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({}, set()),
        ({"QUERY_NAME": "key", "COOKIE_NAME": "session"}, {"key", "session"}),
        ({"QUERY_NAME": 5, "COOKIE_NAME": ""}, set()),
        (None, set()),
    ],
)
def test_names_that_hold_a_token_are_known_even_of_wrong_settings(site, given, names):
    site.CHANNELS_TOKEN_AUTH = given
    assert conf.secret_names() == names


def test_site_without_the_setting_is_asked_for_backends(site):
    del site.CHANNELS_TOKEN_AUTH
    assert [each.name for each in conf.problems()] == [""]
    with pytest.raises(ImproperlyConfigured, match="BACKENDS"):
        conf.override({})  # Django announces no deletion, so `configuration` may be cached


@pytest.mark.asvs("14.2.1")
def test_defaults_are_the_strict_ones(site, monkeypatch):
    # Tests have a default of their own: see tests/patience.py.
    monkeypatch.setattr(READING, "SETTINGS", SETTINGS)
    assert conf.configuration() == conf.Configuration(
        backends=(conf.BackendSpec(path=DRF, options={}, scopes=None),),
        cache="default",
        channel_layer="default",
        connections_scopes=None,
        denylist_seconds=2_592_000,
        identity_providers=(),
        limits=Limits(
            failures=Rate(30, 60),
            handshakes=None,
            waiting=WaitingLimits(address=50, node=1000, is_default_address=True),
            connections=ConnectionLimits(user=None, token=None, policy=LimitPolicy.REFUSE),
            tickets=8,
            messages=None,
            bytes=None,
            idle=None,
            storage=None,
            is_default_failures=True,
        ),
        trusted_proxies=0,
        scopes=frozenset(),
        sweep_grace=None,
        sweep_interval=60,
        verify_timeout=5,
        verified_cache_seconds=10,
        rules=Rules(
            max_token_bytes=4096, auth_timeout=10, expiry_warning=30, max_connection_age=None
        ),
        audit_event_names=EventNames.SIGNALS,
        metrics_token=None,
        tenants=None,
        policy=Policy(
            locations=STRICT,
            origins=OriginRule(hosts=("example.com",), exact=None),
            anonymous=False,
            refusal=RefusalMode.AUTO,
            max_token_bytes=4096,
            query_name="token",
            cookie_name="token",
        ),
    )


def test_verified_tokens_are_never_remembered_for_longer_than_a_sweep_takes(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "SWEEP_INTERVAL": 4}
    assert conf.configuration().verified_cache_seconds == 4


def test_anonymous_takes_first_message_out_of_the_defaults(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "ANONYMOUS": True}
    assert conf.configuration().policy.locations == STRICT - {Location.FIRST_MESSAGE}


def test_anonymous_and_first_message_cannot_both_be_named():
    given = {"BACKENDS": BACKENDS, "ANONYMOUS": True, "LOCATIONS": ["header", "first_message"]}
    assert [(each.name, each.path) for each in conf.problems(given)] == [("ANONYMOUS", "")]


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_keeps_its_name(name):
    kinds = (conf.Configuration, Policy, Rules)
    names = {field.name for kind in kinds for field in fields(kind)}
    # Its use is a part of OriginRule, with ALLOWED_HOSTS.
    assert name == "ALLOWED_ORIGINS" or name.lower() in names


def test_every_setting_arrives_in_the_configuration(site):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": (
            {"BACKEND": "a.A", "OPTIONS": {"key": 1}},
            {"BACKEND": "b.B", "SCOPES": "b.f", "DELEGATED": False},
        ),
        "LOCATIONS": ["query", "cookie"],
        "ANONYMOUS": True,
        "SCOPES": ["chat:read", "chat:write"],
        "REFUSAL": "deny",
        "ALLOWED_ORIGINS": ["https://app.test", "null", "self"],
        "MAX_TOKEN_BYTES": 100,
        "AUTH_TIMEOUT": 7,
        "VERIFY_TIMEOUT": 0.5,
        "VERIFIED_CACHE_SECONDS": 0,
        "MAX_CONNECTION_AGE": 3600,
        "EXPIRY_WARNING": 9,
        "SWEEP_INTERVAL": 30,
        "SWEEP_GRACE": 300,
        "CHANNEL_LAYER": "control",
        "CACHE": "tickets",
        "CONNECTIONS_SCOPES": ["connections"],
        "DENYLIST_SECONDS": 3600,
        "TENANTS": "a.Tenants",
        "METRICS_TOKEN": "a-token-for-prometheus",
        "AUDIT_EVENT_NAMES": "owasp",
        "IDENTITY_PROVIDERS": [PROVIDER, without("JWKS_URL") | {"KEYS": ["k"], "USER": "a.f"}],
        "LIMITS": {
            "FAILURES": "5/hour",
            "HANDSHAKES": "100/minute",
            "WAITING": {"address": None},
            "CONNECTIONS": {"user": 10, "policy": "close_oldest"},
            "TICKETS": None,
            "MESSAGES": "100/s",
            "BYTES": "1000000/day",
            "IDLE": 0.5,
            "STORAGE": "redis://localhost",
        },
        "TRUSTED_PROXIES": 2,
        "QUERY_NAME": "key",
        "COOKIE_NAME": "session",
    }
    assert conf.configuration() == conf.Configuration(
        backends=(
            conf.BackendSpec(path="a.A", options={"key": 1}),
            conf.BackendSpec(path="b.B", options={}, scopes="b.f", delegated=False),
        ),
        cache="tickets",
        channel_layer="control",
        connections_scopes=frozenset({"connections"}),
        denylist_seconds=3600,
        identity_providers=(
            conf.IdentityProvider(
                issuer="https://sso.test",
                audience=("web",),
                jwks_url="https://sso.test/certs",
                algorithms=("RS256",),
                backends=("jwt",),
                endpoints=frozenset({ProviderEndpoint.BACKCHANNEL_LOGOUT}),
            ),
            conf.IdentityProvider(
                issuer="https://sso.test",
                audience=("web",),
                keys=("k",),
                algorithms=("RS256",),
                backends=("jwt",),
                endpoints=frozenset({ProviderEndpoint.BACKCHANNEL_LOGOUT}),
                user="a.f",
            ),
        ),
        limits=Limits(
            failures=Rate(5, 3600),
            handshakes=Rate(100, 60),
            waiting=WaitingLimits(address=None, node=1000, is_default_address=False),
            connections=ConnectionLimits(user=10, policy=LimitPolicy.CLOSE_OLDEST),
            tickets=None,
            messages=Rate(100, 1),
            bytes=Rate(1_000_000, 86400),
            idle=0.5,
            storage=Secret("redis://localhost"),
            is_default_failures=False,
        ),
        trusted_proxies=2,
        sweep_grace=300,
        sweep_interval=30,
        scopes=frozenset({"chat:read", "chat:write"}),
        verify_timeout=0.5,
        verified_cache_seconds=0,
        rules=Rules(
            max_token_bytes=100,
            auth_timeout=7,
            verify_timeout=0.5,
            expiry_warning=9,
            max_connection_age=3600,
        ),
        audit_event_names=EventNames.OWASP,
        tenants="a.Tenants",
        metrics_token=Secret("a-token-for-prometheus"),
        policy=Policy(
            locations=frozenset({Location.QUERY, Location.COOKIE}),
            origins=OriginRule(
                hosts=("example.com",), exact=frozenset({"https://app.test", "null", "self"})
            ),
            anonymous=True,
            refusal=RefusalMode.DENY,
            max_token_bytes=100,
            query_name="key",
            cookie_name="session",
        ),
    )


def test_middleware_argument_wins_over_the_setting(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "REFUSAL": "deny", "QUERY_NAME": "key"}
    policy = conf.override({"refusal": "close", "anonymous": True}).policy
    assert (policy.refusal, policy.anonymous) == (RefusalMode.CLOSE, True)
    assert policy.query_name == "key"
    assert conf.configuration().policy.refusal is RefusalMode.DENY


def test_configuration_is_one_object_until_a_setting_changes(site):
    before = conf.configuration()
    assert conf.configuration() is before
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "ANONYMOUS": True}
    assert conf.configuration().policy.anonymous


def test_what_is_derived_is_built_once_until_a_setting_changes(site):
    aliases = []
    derived = conf.derived(lambda configuration: aliases.append(configuration.cache) or aliases)
    assert derived() is derived() is aliases
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "CACHE": "tickets"}
    derived()
    assert aliases == ["default", "tickets"]


def test_changed_hosts_are_seen_too(site):
    assert conf.configuration().policy.origins.hosts == ("example.com",)
    site.ALLOWED_HOSTS = ["example.net"]
    assert conf.configuration().policy.origins.hosts == ("example.net",)


@pytest.mark.parametrize(
    ("debug", "hosts", "expected"),
    [
        pytest.param(True, [], (".localhost", "127.0.0.1", "[::1]"), id="DEBUG: this machine"),
        pytest.param(True, ["a.test"], ("a.test",), id="DEBUG, with a list"),
        pytest.param(False, [], (), id="nobody"),
        pytest.param(False, ["a.test", ".b.test"], ("a.test", ".b.test"), id="the list"),
    ],
)
def test_hosts_are_those_that_django_allows(site, debug, hosts, expected):
    site.DEBUG, site.ALLOWED_HOSTS = debug, hosts
    assert conf.configuration().policy.origins.hosts == expected


def test_keys_stay_out_of_the_repr(site):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": DRF, "OPTIONS": {"key": "c4n4ry"}}],
        "IDENTITY_PROVIDERS": [without("JWKS_URL") | {"KEY": "c4n4ry"}],
    }
    assert "c4n4ry" not in repr(conf.configuration())
