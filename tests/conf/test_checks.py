"""Messages of `manage.py check` about the settings."""

import json
import subprocess
import sys
from importlib import metadata

import pytest
from django.conf import settings as site
from django.core.checks import ERROR, INFO, WARNING, Tags, run_checks
from django.test import override_settings

from channels_token_auth.checks import check_settings, layers, servers
from tests import launcher
from tests.matrix.kinds import KINDS

from .test_conf import PROVIDER

OURS = "channels_token_auth.backends."
WITHOUT_PACKAGES = f"""
import json, sys
for name in ("allauth", "jwt", "knox", "oauth2_provider", "requests", "rest_framework",
             "rest_framework_simplejwt"):
    sys.modules[name] = None  # as if it were not installed
import django
from django.conf import settings
paths = {[kind.path for kind in KINDS if kind.extra]}
settings.configure(
    CHANNELS_TOKEN_AUTH={{"BACKENDS": [{{"BACKEND": path}} for path in paths]}},
    CACHES={{"default": {{"BACKEND": "django.core.cache.backends.redis.RedisCache"}}}},
)
django.setup()
from channels_token_auth.checks import check_settings
errors = [message for message in check_settings() if message.id.endswith("E002")]
said = {{e.msg.split("'")[1]: [e.id, e.hint.partition(": ")[2]] for e in errors}}
print(json.dumps(said))
"""
ON_DEFAULTS = """
import json, sys, warnings
warnings.simplefilter("error")
from django.conf import settings
given = json.loads(sys.argv[1])
apps = ["django.contrib.staticfiles", "django.contrib.auth", "django.contrib.contenttypes"]
apps += ["rest_framework.authtoken", "channels_token_auth"]
given["INSTALLED_APPS"] += apps
settings.configure(**given)
import django
django.setup()
from channels_token_auth.checks import check_settings, servers
servers.TRAPS = ()  # of servers that only the tests need
print(json.dumps([[each.id.partition(".")[2], each.level] for each in check_settings()]))
"""
BACKENDS = [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]
WITHOUT_ROWS = [
    {
        "BACKEND": "channels_token_auth.backends.jwt.JWTBackend",
        "OPTIONS": {"algorithms": ["HS256"], "key": "k" * 32, "audience": "a"},
    }
]
REDIS = "channels_redis.core.RedisChannelLayer"


def with_provider(**changes):
    """A site with JWTs and their provider: OPTIONS are the backend's."""
    site = {"CACHE": changes.pop("CACHE")} if "CACHE" in changes else {}
    (jwt,) = WITHOUT_ROWS
    backend = jwt | {"OPTIONS": jwt["OPTIONS"] | changes.pop("OPTIONS", {})}
    provider = PROVIDER | {"BACKENDS": ["jwt"]} | changes
    return site | {"BACKENDS": [backend], "IDENTITY_PROVIDERS": [provider]}


def with_two_backends(*, issuer):
    """The tokens of the first one have another issuer than the provider."""
    site = with_provider(OPTIONS={"typ": "at+jwt", "issuer": "https://other.test"})
    options = {"url": "https://sso.test/introspect", "client_id": "c", "client_secret": "s"}
    second = {"BACKEND": INTROSPECTION, "OPTIONS": options | {"audience": "a", "issuer": issuer}}
    (provider,) = site["IDENTITY_PROVIDERS"]
    provider = provider | {"BACKENDS": ["jwt", "introspection"]}
    return {"BACKENDS": [*site["BACKENDS"], second], "IDENTITY_PROVIDERS": [provider]}


INTROSPECTION = "channels_token_auth.backends.introspection.IntrospectionBackend"
CANARY = "redis://:canary@example.com"
LIMIT = "UVICORN_WS_MAX_SIZE"


CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"},
    "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "by tenant": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    },
    "nothing": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "table": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
    "large table": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    },
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"},
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}


@pytest.fixture(scope="module")
def _site():
    """A site in production. For all tests: to install apps takes longer than to check them."""
    apps = ["daphne", *site.INSTALLED_APPS]
    with override_settings(
        DEBUG=False,
        INSTALLED_APPS=apps,
        ASGI_APPLICATION="tests.none",
        CACHES=CACHES,
        CHANNEL_LAYERS=CHANNEL_LAYERS,
    ):
        yield


@pytest.fixture
def check(_site, settings, monkeypatch):
    """The messages on a site with these settings besides its backend, as ids."""
    monkeypatch.setattr(servers, "TRAPS", ())  # of servers that only the tests need

    def ids(**given):
        settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "TRUSTED_PROXIES": 1} | given
        return [message.id.removeprefix("channels_token_auth.") for message in check_settings()]

    return ids


def test_default_settings_are_fine(check):
    assert check() == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"LOCATIONS": ["header", "query"]}, ["W001"]),
        ({"LOCATIONS": ["header", "cookie"]}, ["W002"]),
        ({"LOCATIONS": ["query", "cookie"]}, ["W001", "W002"]),
        ({"LOCATIONS": ["header"]}, []),
        ({"MAX_TOKEN_BYTES": 4096}, []),
        ({"MAX_TOKEN_BYTES": 4097}, ["W003"]),
        ({"ALLOWED_ORIGINS": ["https://example.com", "null"]}, ["E003"]),
        ({"ALLOWED_ORIGINS": ["https://example.com", "self"]}, []),
        ({"ALLOWED_ORIGINS": []}, []),
        ({"CACHE": "memory"}, ["W004"]),
        ({"CACHE": "nothing"}, ["W004"]),
        ({"CACHE": "memory", "LOCATIONS": ["header"]}, []),
        ({"CACHE": "no such"}, ["E004"]),
        ({"TENANTS": "tests.tenants.fakes.FakeTenants"}, []),
        ({"TENANTS": "tests.tenants.fakes.Nobody"}, ["E011"]),
        ({"TENANTS": "tests.tenants.fakes.FakeTenants", "CACHE": "by tenant"}, ["E012"]),
        ({"CACHE": "no such", "LOCATIONS": ["header"]}, ["E004"]),
        ({"CACHE": "table"}, []),
        ({"CACHE": "table", "BACKENDS": WITHOUT_ROWS}, ["W009"]),
        ({"CACHE": "large table", "BACKENDS": WITHOUT_ROWS}, []),
        ({"CACHE": "memory", "BACKENDS": WITHOUT_ROWS}, ["W004", "E008"]),
        ({"CACHE": "nothing", "BACKENDS": WITHOUT_ROWS}, ["W004", "E008"]),
        ({"BACKENDS": WITHOUT_ROWS}, []),
        ({"CHANNEL_LAYER": "no such"}, ["E006"]),
        ({"CHANNEL_LAYER": "memory"}, ["W007"]),
        ({"VERIFIED_CACHE_SECONDS": 20, "SWEEP_INTERVAL": 15}, ["I001"]),
        ({"VERIFIED_CACHE_SECONDS": 15, "SWEEP_INTERVAL": 15}, []),
        ({"SWEEP_INTERVAL": 5}, []),
        ({"BACKENDS": BACKENDS * 3}, ["E005"]),
        ({"BACKENDS": [*BACKENDS, {**BACKENDS[0], "OPTIONS": {"name": "other"}}]}, []),
        ({"ANONYMOUS": True, "SCOPES": ["chat:read"]}, ["W005"]),
        ({"ANONYMOUS": True}, []),
        ({"SCOPES": ["chat:read"]}, []),
        ({"SCOPES": "chat:read"}, ["E001"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.get_user"}]}, []),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "no.such.function"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.nothing"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": "django.contrib.auth.SESSION_KEY"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "SCOPES": ""}]}, ["E001"]),
        ({"ANONYMOUS": 1}, ["E001"]),
        ({"ANONYMOUS": 1, "REFUSAL": 1, "LOCATIONS": ["query"]}, ["E001", "E001"]),
        ({"TOKEN": 1}, ["E001"]),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, ["E002"]),
        ({"BACKENDS": [{"BACKEND": "nodots"}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": {"unknown": 1}}]}, ["E002"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": None}]}, ["E001"]),
        ({"BACKENDS": [{**BACKENDS[0], "OPTIONS": {"model": "no.Model"}}]}, ["E101"]),
        ({"BACKENDS": [{"BACKEND": "no.A"}, {"BACKEND": "no.B"}]}, ["E002", "E002"]),
        ({"BACKENDS": [{"BACKEND": "no.A"}], "LOCATIONS": ["query"]}, ["E002", "W001"]),
        (with_provider(), []),
        (with_provider(BACKENDS=["drf"]), ["E009"]),
        (with_provider(BACKENDS=["jwt", "drf"]), ["E009"]),
        ({"IDENTITY_PROVIDERS": [PROVIDER | {"BACKENDS": ["drf"]}]}, ["E021"]),
        ({"IDENTITY_PROVIDERS": [PROVIDER | {"BACKENDS": ["drf", "jwt"]}]}, ["E009", "E021"]),
        (with_provider(CACHE="memory"), ["E023", "W004", "E008"]),
        (with_provider(OPTIONS={"typ": "at+jwt", "issuer": "https://other.test"}), ["W021"]),
        (with_provider(OPTIONS={"typ": "at+jwt", "issuer": f"{PROVIDER['ISSUER']}/"}), ["W021"]),
        (
            with_provider(
                OPTIONS={"typ": "at+jwt", "issuer": ["https://other.test", PROVIDER["ISSUER"]]}
            ),
            [],
        ),
        (
            with_provider(
                OPTIONS={"typ": "at+jwt", "issuer": "https://other.test"},
                ENDPOINTS=["security-events"],
            ),
            [],
        ),
        (with_two_backends(issuer="https://other.test"), ["W021"]),
        (with_two_backends(issuer=None), []),  # the second accepts tokens of any issuer
        (with_provider(OPTIONS={"user_field": "username"}), ["W022"]),
        (with_provider(OPTIONS={"user_field": "username"}, USER_FIELD="username"), []),
        (with_provider(OPTIONS={"user_field": "username", "user_claim": "uid"}), []),
        (with_provider(JWKS_URL="http://sso.test/certs"), ["E124"]),
        (with_provider(JWKS_URL="http://127.0.0.1:8080/certs"), []),
        (with_provider(ALGORITHMS=["none"]), ["E120"]),
        (with_provider(ALGORITHMS=["HS256", "RS256"]), ["E121"]),
        (with_provider(JWKS_URL=None, KEY="k" * 32), ["E122"]),
        (with_provider(JWKS_URL=None, KEY="k", ALGORITHMS=["HS256"]), ["E123"]),
        (with_provider(USER="no.such.function"), ["E022"]),
        (with_provider(USER_FIELD="nickname"), ["E022"]),
        (with_provider(USER_CLAIM="email", USER_FIELD="username"), ["W020"]),
    ],
)
@pytest.mark.asvs("4.2.5", "14.2.1")
def test_each_mistake_and_each_loosening_has_its_message(check, given, expected):
    assert check(**given) == expected


EXPLICIT = {"FAILURES": "5/min", "WAITING": {"address": 5}}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"TRUSTED_PROXIES": 0}, ["I006"]),
        ({"TRUSTED_PROXIES": 0, "LIMITS": {"FAILURES": None}}, ["I006"]),
        ({"TRUSTED_PROXIES": 0, "LIMITS": {"WAITING": {"address": 5}}}, ["I006"]),
        ({"TRUSTED_PROXIES": 0, "LIMITS": EXPLICIT}, []),
        ({"LIMITS": {"STORAGE": "redis://:canary@example.com"}}, []),
        ({"LIMITS": {"STORAGE": "memory://"}}, ["W015"]),
        ({"LIMITS": {"STORAGE": "async+redis://example.com"}}, ["E010"]),
        ({"LIMITS": {"STORAGE": "nothing://:canary@example.com"}}, ["E010"]),
        ({"LIMITS": {"IDLE": 24.9}}, ["W018"]),
        ({"LIMITS": {"IDLE": 25}}, []),
        ({"LIMITS": {"IDLE": None}}, []),
    ],
)
def test_limits_that_count_less_than_meant_are_reported(check, given, expected):
    assert check(**given) == expected
    assert "canary" not in repr(check_settings())


def test_development_says_nothing_of_proxies_and_processes(check, settings, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    settings.DEBUG = True
    assert check(TRUSTED_PROXIES=0) == []


@pytest.mark.parametrize(
    ("workers", "limits", "expected"),
    [
        ("4", {}, ["I007"]),
        ("4", {"FAILURES": None}, []),
        ("4", {"FAILURES": None, "HANDSHAKES": "9/min"}, ["I007"]),
        ("4", {"STORAGE": "redis://example.com"}, []),
        ("1", {}, []),
        ("many", {}, []),
    ],
)
def test_rates_that_each_process_counts_by_itself_are_reported(
    check, monkeypatch, workers, limits, expected
):
    monkeypatch.setenv("WEB_CONCURRENCY", workers)
    assert check(LIMITS=limits) == expected


def test_storage_without_the_package_is_an_error(check, monkeypatch):
    monkeypatch.setitem(sys.modules, "limits.storage", None)
    assert check(LIMITS={"STORAGE": "redis://example.com"}) == ["E010"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"ALLOWED_ORIGINS": ["null"]}, []),
        ({"CACHE": "memory"}, [("W004", INFO)]),
        ({"CACHE": "memory", "BACKENDS": WITHOUT_ROWS}, [("W004", INFO), ("E008", INFO)]),
        ({"CACHE": "table", "BACKENDS": WITHOUT_ROWS}, [("W009", INFO)]),
        ({"CHANNEL_LAYER": "memory"}, [("W007", INFO)]),
    ],
)
def test_in_development_what_one_process_has_is_information(check, settings, given, expected):
    settings.DEBUG = True
    check(**given)
    found = [(each.id.partition(".")[2], each.level) for each in check_settings()]
    assert found == expected


def on_defaults(**given):
    """The ids and levels on a site that sets only these, in a process of its own."""
    done = launcher.run_code(ON_DEFAULTS, json.dumps(given))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("apps", "asgi", "expected"),
    [
        (["daphne"], "project.asgi.application", []),
        (["daphne"], None, [["I005", INFO]]),
        ([], "project.asgi.application", [["I004", INFO]]),
        ([], None, [["I004", INFO]]),
    ],
)
def test_new_project_reports_nothing_but_a_runserver_without_websockets(apps, asgi, expected):
    backends = {"CHANNELS_TOKEN_AUTH": {"BACKENDS": BACKENDS}}
    found = on_defaults(DEBUG=True, INSTALLED_APPS=apps, ASGI_APPLICATION=asgi, **backends)
    assert found == expected


def test_default_cache_and_tokens_without_rows_are_an_error_in_production():
    ours = {"BACKENDS": WITHOUT_ROWS, "LOCATIONS": ["header"]}
    found = on_defaults(DEBUG=False, INSTALLED_APPS=["daphne"], CHANNELS_TOKEN_AUTH=ours)
    assert ["E008", ERROR] in found


@pytest.mark.parametrize(
    "backend", ["no.such.Layer", "channels_token_auth.checks.Nothing", "tests.conf.layers.Broken"]
)
def test_layer_that_cannot_be_built_is_an_error_without_its_password(check, settings, backend):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "CONFIG": {"hosts": [CANARY]}}}
    assert check() == ["E007"]
    (message,) = check_settings()
    assert CANARY not in message.msg


def test_package_of_the_layer_that_is_missing_is_named(check, settings, monkeypatch):
    monkeypatch.delitem(sys.modules, "channels_redis.core", raising=False)
    monkeypatch.setitem(sys.modules, "channels_redis", None)  # as if it were not installed
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": REDIS}}
    assert check() == ["E007"]
    assert "no module 'channels_redis" in check_settings()[0].msg


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ({"BACKEND": REDIS, "CONFIG": {"hosts": ["redis://a", "redis://b"]}}, ["W013"]),
        ({"BACKEND": REDIS, "CONFIG": {"hosts": ["redis://a"]}}, []),
        ({"BACKEND": REDIS}, []),
    ],
)
def test_several_redis_hosts_lose_messages(check, settings, layer, expected):
    settings.CHANNEL_LAYERS = {"default": layer}
    assert check() == expected


@pytest.fixture
def installed(monkeypatch):
    """Only these servers are installed, in these versions."""

    def version(name, versions):
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    def install(**versions):
        monkeypatch.setattr(metadata, "version", lambda name: version(name, versions))

    return install


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({}, []),
        ({"daphne": "4.2.1"}, ["W011"]),
        ({"daphne": "4.2.2"}, []),
        ({"daphne": "4.10.0"}, []),
        ({"granian": "2.7.1", "uvicorn": "0.50.0"}, ["W011", "W011"]),
        ({"granian": "2.8.0", "uvicorn": "0.50.1.dev1"}, []),
    ],
)
def test_server_with_a_known_hole_is_reported(check, installed, versions, expected):
    installed(**versions)
    assert check() == expected


def test_in_development_only_the_server_of_the_site_itself_is_reported(check, installed, settings):
    settings.DEBUG = True
    installed(daphne="4.2.1", granian="2.5.0")
    check()
    (message,) = check_settings()
    assert (message.id, message.level) == ("channels_token_auth.W011", INFO)


@pytest.mark.parametrize(("environ", "expected"), [({}, ["I003"]), ({LIMIT: "65536"}, [])])
def test_server_that_takes_large_messages_is_reported_unless_its_limit_is_set(
    check, installed, monkeypatch, environ, expected
):
    monkeypatch.undo()
    installed(uvicorn="0.54.0")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    ids = [each.id.partition(".")[2] for each in servers.installed_servers()]
    assert ids == expected


@pytest.mark.parametrize(
    ("given", "level", "code", "named"),
    [
        ({"REFUSAL": "drop"}, ERROR, "E001", ['CHANNELS_TOKEN_AUTH["REFUSAL"]', '"drop"']),
        ({"TOKEN": 1}, ERROR, "E001", ['CHANNELS_TOKEN_AUTH["TOKEN"]']),
        ({"BACKENDS": [{"BACKEND": "no.such.Backend"}]}, ERROR, "E002", ["'no.such.Backend'"]),
        ({"ALLOWED_ORIGINS": ["null"]}, ERROR, "E003", ["ALLOWED_ORIGINS", "'null'"]),
        ({"CACHE": "files"}, ERROR, "E004", ["CACHE ", "'files'", "CACHES"]),
        ({"BACKENDS": BACKENDS * 2}, ERROR, "E005", ["BACKENDS", "'drf'"]),
        ({"CACHE": "memory"}, WARNING, "W004", ["CACHE ", "'memory'"]),
        ({"CACHE": "table", "BACKENDS": WITHOUT_ROWS}, WARNING, "W009", ["'table'", " 300"]),
        ({"CHANNEL_LAYER": "none"}, ERROR, "E006", ["CHANNEL_LAYER ", "'none'", "CHANNEL_LAYERS"]),
        ({"CHANNEL_LAYER": "memory"}, WARNING, "W007", ["CHANNEL_LAYER ", "'memory'", " 60 s"]),
        ({"VERIFIED_CACHE_SECONDS": 90}, INFO, "I001", ["VERIFIED_CACHE_SECONDS", " 90", " 60"]),
        ({"ANONYMOUS": True, "SCOPES": ["a"]}, WARNING, "W005", ["ANONYMOUS", "True"]),
        ({"LOCATIONS": ["query"]}, WARNING, "W001", ["LOCATIONS", "'query'"]),
        ({"LOCATIONS": ["cookie"]}, WARNING, "W002", ["LOCATIONS", "'cookie'"]),
        ({"MAX_TOKEN_BYTES": 8192}, WARNING, "W003", ["MAX_TOKEN_BYTES", " 4096"]),
    ],
)
def test_message_names_the_setting_and_is_as_grave_as_it_is(check, given, level, code, named):
    check(**given)
    (message,) = check_settings()
    assert (message.id, message.level) == (f"channels_token_auth.{code}", level)
    assert [each for each in named if each not in message.msg] == []


@pytest.mark.parametrize(
    "given",
    [
        {"ALLOWED_ORIGINS": ["null"]},
        {"CACHE": "files"},
        {"CACHE": "memory"},
        {"CACHE": "table", "BACKENDS": WITHOUT_ROWS},
        {"CHANNEL_LAYER": "no such"},
        {"CHANNEL_LAYER": "memory"},
        {"VERIFIED_CACHE_SECONDS": 90},
        {"BACKENDS": BACKENDS * 2},
        {"ANONYMOUS": True, "SCOPES": ["a"]},
        {"LOCATIONS": ["query"]},
        {"LOCATIONS": ["cookie"]},
        {"MAX_TOKEN_BYTES": 8192},
    ],
)
def test_loosening_comes_with_a_hint(check, given):
    check(**given)
    (message,) = check_settings()
    assert message.hint


def test_settings_that_are_no_dictionary_are_one_error(settings):
    settings.CHANNELS_TOKEN_AUTH = ["header"]
    (error,) = check_settings()
    assert error.id == "channels_token_auth.E001"


def test_django_runs_these_checks_without_being_asked_to_deploy(check):
    check(ANONYMOUS="yes")
    found = [(message.id, message.msg) for message in run_checks(tags=[Tags.security])]
    (wrong,) = [msg for code, msg in found if code == "channels_token_auth.E001"]
    assert wrong.startswith('CHANNELS_TOKEN_AUTH["ANONYMOUS"] is "yes": ')


@pytest.mark.parametrize(
    ("backends", "code", "named"),
    [
        ("no list", "E001", ['CHANNELS_TOKEN_AUTH = {"BACKENDS": ']),
        ([{"BACKEND": "no.such.Backend"}], "E002", ["BACKENDS", "OPTIONS"]),
        ([{"BACKEND": f"{OURS}no.such.Backend"}], "E002", ["BACKENDS", "OPTIONS"]),
        ([{**BACKENDS[0], "OPTIONS": {"modle": 1}}], "E002", ["BACKENDS", "OPTIONS"]),
        ([{**BACKENDS[0], "SCOPES": "no.function"}], "E002", ["BACKENDS", "OPTIONS"]),
    ],
)
def test_mistake_comes_with_a_hint(check, backends, code, named):
    check(BACKENDS=backends)
    (message,) = check_settings()
    assert message.id == f"channels_token_auth.{code}"
    assert [each for each in named if each not in message.hint] == []


def test_package_that_is_missing_is_said_to_be_installed(check, monkeypatch):
    monkeypatch.delitem(sys.modules, f"{OURS}knox", raising=False)
    monkeypatch.setitem(sys.modules, "knox", None)  # as if it were not installed
    check(BACKENDS=[{"BACKEND": f"{OURS}knox.KnoxTokenBackend"}])
    (error,) = [each for each in check_settings() if each.id == "channels_token_auth.E002"]
    assert '"channels-token-auth[knox]"' in error.hint


def test_package_that_is_missing_is_named_with_what_to_type():
    finished = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    # That of DRF's tokens imports no package: it misses their model, and says so (E101).
    names = {kind.path: kind.extra for kind in KINDS if kind.extra and kind.name != "drf"}
    assert json.loads(finished.stdout) == {
        path: ["channels_token_auth.E002", f'pip install "channels-token-auth[{extra}]"']
        for path, extra in names.items()
    }


KNOWS_MORE = {"BACKEND": "channels_token_auth.backends.knox.KnoxTokenBackend"}
KNOWS_LESS = {"BACKEND": "channels_token_auth.backends.session.SessionBackend"}
FOREIGN = {"BACKEND": "channels_token_auth.testing.FakeTokenBackend"}


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        ([KNOWS_LESS, KNOWS_MORE], ["W006"]),
        ([KNOWS_MORE, KNOWS_LESS], []),
        ([KNOWS_LESS, FOREIGN], []),
    ],
)
def test_backend_that_knows_less_of_a_tokens_end_comes_last(check, backends, expected):
    found = check(BACKENDS=backends, LOCATIONS=["cookie"], COOKIE_NAME="sessionid")
    assert [message for message in found if message == "W006"] == expected


@pytest.fixture
def redis_of(settings, monkeypatch):
    """Have another redis-py installed, below a layer with this configuration."""
    real = metadata.version

    def install(version, **config):
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": REDIS, "CONFIG": config}}

        def answer(name):
            if name != "redis":
                return real(name)
            if version is None:
                raise metadata.PackageNotFoundError
            return version

        monkeypatch.setattr(layers.metadata, "version", answer)

    return install


@pytest.mark.parametrize(
    ("version", "config", "expected"),
    [
        ("8.0.1", {}, ["W010"]),
        ("10.1", {"hosts": ["redis://cache:6379"]}, ["W010"]),
        ("8.0.1", {"hosts": [{"address": "redis://cache:6379"}]}, ["W010"]),
        ("8.0.1", {"hosts": [{"address": "redis://cache:6379", "socket_timeout": None}]}, []),
        ("7.9", {}, []),
        ("unknown", {}, []),
        (None, {}, []),
    ],
)
def test_layer_that_drops_idle_connections_is_found(check, redis_of, version, config, expected):
    redis_of(version, **config)
    assert check() == expected


def test_that_layer_comes_with_a_hint(check, redis_of):
    redis_of("8.0.1")
    check()
    (message,) = check_settings()
    assert message.id == "channels_token_auth.W010"
    assert '"socket_timeout": None' in message.hint


def test_site_without_a_channel_layer_reaches_its_own_process(check, settings):
    del settings.CHANNEL_LAYERS
    assert check() == ["W007"]


def test_cache_of_one_process_names_the_tokens_that_it_would_not_deny(check):
    check(CACHE="nothing", LOCATIONS=["header"], BACKENDS=WITHOUT_ROWS)
    (message,) = check_settings()
    assert "'jwt'" in message.msg
    assert message.hint
