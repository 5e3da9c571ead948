"""The settings: what each may be, what is said of a wrong one, and when a change is seen."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_token_auth import conf
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy, RefusalMode
from channels_token_auth.core.lifecycle import Rules

DRF = "channels_token_auth.backends.drf.DRFTokenBackend"
BACKENDS = [{"BACKEND": DRF}]
A_LIST_OF_BACKENDS = (
    'must be a list of {"BACKEND": "dotted.path", "OPTIONS": {…}, "SCOPES": …}, and not an empty'
    " one."
)
A_LIST_OF_ORIGINS = (
    'must be None (ALLOWED_HOSTS) or a list of origins such as "https://example.com", "null",'
    ' "self".'
)
OVER_0 = "must be a number over 0."
NUMBERS = [None, True, 0, -1, -0.5, "5", [], float("nan"), float("inf")]
A_NAME = "must be a name of letters, digits, '-', '.' and '_'."
NAMES = [None, 5, "", "a b", "a=b", "a;b", "a&b", "a\n", b"token"]
UNKNOWN = (
    "is no setting; known are BACKENDS, LOCATIONS, ANONYMOUS, SCOPES, REFUSAL, ALLOWED_ORIGINS,"
    " MAX_TOKEN_BYTES, AUTH_TIMEOUT, VERIFY_TIMEOUT, VERIFIED_CACHE_SECONDS, MAX_CONNECTION_AGE,"
    " EXPIRY_WARNING, SWEEP_INTERVAL, SWEEP_GRACE, CHANNEL_LAYER, CACHE, DENYLIST_SECONDS,"
    " QUERY_NAME, COOKIE_NAME."
)

# Each setting: what is said of it, and values of which it is said.
MUST_BE = {
    "BACKENDS": (
        A_LIST_OF_BACKENDS,
        [
            *(None, 5, (), [], {}, {"BACKEND": DRF}, "a.b", [DRF], [None]),
            *([{}], [{"OPTIONS": {}}], [{"BACKEND": 5}], [*BACKENDS, {"BACKEND": DRF, "X": 1}]),
            *([{"BACKEND": DRF, "SCOPES": each}] for each in (5, len, ["chat:read"])),
        ],
    ),
    "LOCATIONS": (
        "must be a list of some of header, subprotocol, ticket, query, cookie, first_message.",
        [None, 5, True, [], "header", ["Header"], ["header", "body"], [None], [["header"]]],
    ),
    "ANONYMOUS": ("must be True or False.", [None, 0, 1, "False"]),
    "SCOPES": (
        "must be a list of scopes, each a text that is not empty.",
        [None, 5, True, "chat:read", b"chat", [""], [None], ["chat:read", 5], [["chat:read"]]],
    ),
    "REFUSAL": ("must be one of auto, close, deny.", [None, "", "AUTO", "drop", 5, []]),
    "ALLOWED_ORIGINS": (
        A_LIST_OF_ORIGINS,
        [5, True, "https://a.test", ["*"], ["a.test"], [None], ["https://a.test", "a.test"]],
    ),
    "MAX_TOKEN_BYTES": (OVER_0, NUMBERS),
    "AUTH_TIMEOUT": (OVER_0, NUMBERS),
    "VERIFY_TIMEOUT": (OVER_0, NUMBERS),
    "VERIFIED_CACHE_SECONDS": (
        "must be 0 or a number over it.",
        [value for value in NUMBERS if value is True or value != 0] + [False],
    ),
    "MAX_CONNECTION_AGE": ("must be None or a number over 0.", NUMBERS[1:]),
    "EXPIRY_WARNING": (OVER_0, NUMBERS),
    "SWEEP_INTERVAL": (OVER_0, NUMBERS),
    "SWEEP_GRACE": ("must be None or a number over 0.", NUMBERS[1:]),
    "CHANNEL_LAYER": (
        "must be the alias of a channel layer, as in CHANNEL_LAYERS.",
        [None, 5, "", ["default"]],
    ),
    "DENYLIST_SECONDS": (OVER_0, NUMBERS),
    "CACHE": ("must be the alias of a cache, as in CACHES.", [None, 5, "", ["default"]]),
    "QUERY_NAME": (A_NAME.replace("'_'.", "'_', and not \"ticket\"."), [*NAMES, "ticket"]),
    "COOKIE_NAME": (A_NAME, NAMES),
    "BACKEND": (UNKNOWN, [None]),
    "TOKEN": (UNKNOWN, [None]),
}
WRONG = [
    pytest.param({name: value}, name, sentence, id=f"{name}={value!r}")
    for name, (sentence, values) in MUST_BE.items()
    for value in values
]

STRICT = frozenset({*Location} - {Location.QUERY, Location.COOKIE})


@pytest.fixture
def site(settings):
    """A site that has set nothing but its backend and its hosts."""
    settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS}
    settings.ALLOWED_HOSTS = ["example.com"]
    settings.DEBUG = False
    return settings


@pytest.mark.parametrize(("given", "name", "sentence"), WRONG)
def test_wrong_setting_is_named_and_told_what_it_must_be(given, name, sentence):
    assert list(conf.problems({"BACKENDS": BACKENDS} | given)) == [(name, sentence)]


@pytest.mark.parametrize(("given", "name", "sentence"), WRONG)
def test_wrong_middleware_argument_is_refused_in_the_same_words(site, given, name, sentence):
    arguments = {key.lower(): value for key, value in given.items()}
    with pytest.raises(ImproperlyConfigured) as caught:
        conf.override(arguments)
    assert str(caught.value) == f"CHANNELS_TOKEN_AUTH['{name}'] {sentence}"


def test_every_wrong_setting_is_told_at_once():
    given = {"ANONYMOUS": 1, "REFUSAL": "drop", "EXTRA": 1}
    assert {name for name, _ in conf.problems(given)} == {"BACKENDS", *given}


@pytest.mark.parametrize("given", [None, [], "x", 5], ids=repr)
def test_settings_that_are_no_dictionary_are_told_so(site, given):
    site.CHANNELS_TOKEN_AUTH = given
    assert [sentence for _, sentence in conf.problems()] == ["must be a dictionary."]
    with pytest.raises(ImproperlyConfigured, match=r"^CHANNELS_TOKEN_AUTH must be a dictionary\.$"):
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
    assert [name for name, _ in conf.problems()] == ["BACKENDS"]
    with pytest.raises(ImproperlyConfigured, match="BACKENDS"):
        conf.configuration()


def test_defaults_are_the_strict_ones(site):
    assert conf.configuration() == conf.Configuration(
        backends=(conf.BackendSpec(path=DRF, options={}, scopes=None),),
        cache="default",
        channel_layer="default",
        denylist_seconds=2_592_000,
        scopes=frozenset(),
        sweep_grace=None,
        sweep_interval=60,
        verify_timeout=5,
        verified_cache_seconds=10,
        rules=Rules(
            max_token_bytes=4096, auth_timeout=10, expiry_warning=30, max_connection_age=None
        ),
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
    sentence = "cannot be True where LOCATIONS names 'first_message'."
    assert list(conf.problems(given)) == [("ANONYMOUS", sentence)]


def test_every_setting_arrives_in_the_configuration(site):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": (
            {"BACKEND": "a.A", "OPTIONS": {"key": 1}},
            {"BACKEND": "b.B", "SCOPES": "b.f"},
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
        "DENYLIST_SECONDS": 3600,
        "QUERY_NAME": "key",
        "COOKIE_NAME": "session",
    }
    assert conf.configuration() == conf.Configuration(
        backends=(
            conf.BackendSpec(path="a.A", options={"key": 1}),
            conf.BackendSpec(path="b.B", options={}, scopes="b.f"),
        ),
        cache="tickets",
        channel_layer="control",
        denylist_seconds=3600,
        sweep_grace=300,
        sweep_interval=30,
        scopes=frozenset({"chat:read", "chat:write"}),
        verify_timeout=0.5,
        verified_cache_seconds=0,
        rules=Rules(max_token_bytes=100, auth_timeout=7, expiry_warning=9, max_connection_age=3600),
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


def test_options_of_a_backend_stay_out_of_its_repr(site):
    site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": DRF, "OPTIONS": {"key": "c4n4ry"}}]}
    assert "c4n4ry" not in repr(conf.configuration())
