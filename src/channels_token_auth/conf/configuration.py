"""Turn the settings, and the arguments of a middleware, into one frozen value.

A setting keeps its name, in lower case, in all code that uses it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.encoding import force_bytes

from ..backends.site import Site
from ..core.credentials import Location, Secret
from ..core.handshake.origin import OriginRule
from ..core.handshake.policy import Policy
from ..core.lifecycle import Rules
from ..core.limits import Limits
from ..core.site_keys import SiteKeys
from ..observability.event_names import EventNames
from .backend_spec import BackendSpec
from .identity_providers import IdentityProvider
from .problem import NAME, Problem, WrongValueError, misspelt, unknown_key
from .table import SETTINGS, SITE_WIDE

__all__ = [
    "Configuration",
    "configuration",
    "derived",
    "given",
    "override",
    "problems",
    "raw_names",
    "secret_names",
    "site_keys",
]

T = TypeVar("T")
_NAMES = ("query_name", "cookie_name")
_LOCAL_HOSTS = (".localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings of one route. Times are in seconds.

    `policy` has the settings for decisions about handshakes, `rules` those for open sockets.
    """

    audit_event_names: EventNames
    backends: tuple[BackendSpec, ...]
    cache: str
    channel_layer: str
    connections_scopes: frozenset[str] | None
    denylist_seconds: float
    identity_providers: tuple[IdentityProvider, ...]
    limits: Limits
    metrics_token: Secret | None
    policy: Policy
    rules: Rules
    scopes: frozenset[str]
    sweep_grace: float | None
    sweep_interval: float
    tenants: str | None
    trusted_proxies: int
    verify_timeout: float
    verified_cache_seconds: float

    @property
    def site(self) -> Site:
        """The settings that backends read in their checks."""
        return Site(
            locations=self.policy.locations,
            query_name=self.policy.query_name,
            cookie_name=self.policy.cookie_name,
            scopes=self.scopes,
            max_connection_age=self.rules.max_connection_age,
        )


@lru_cache(maxsize=1)
def configuration() -> Configuration:
    """Return the settings of the site: the same object until a setting changes."""
    return override({})


def override(arguments: Mapping[str, Any]) -> Configuration:
    """Return the settings with a middleware's arguments in place of the settings' values.

    Raises ImproperlyConfigured, with one line for each wrong entry.
    """
    given = _given()
    if arguments and isinstance(given, Mapping):
        own = {name.upper(): value for name, value in arguments.items()}
        given = {**given, **{name: own[name] for name in own.keys() - SITE_WIDE}}
    read: dict[str, Any] = {}
    # All of them, so that a developer need not start the server once for each mistake.
    if wrong := [*_site_wide(arguments), *_read_into(read, given)]:
        raise ImproperlyConfigured("\n".join(_describe(each, arguments) for each in wrong))
    # A client without a credential is admitted as anonymous. So no first message is awaited.
    if read["ANONYMOUS"] and "LOCATIONS" not in given:
        read["LOCATIONS"] -= {Location.FIRST_MESSAGE}
    # A node that misses a revocation's message relies on its sweep: no cached verdict may be older.
    read["VERIFIED_CACHE_SECONDS"] = min(read["VERIFIED_CACHE_SECONDS"], read["SWEEP_INTERVAL"])
    return _build({name.lower(): value for name, value in read.items()})


def _site_wide(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted({name.upper() for name in arguments} & SITE_WIDE):
        sentence = "applies to the whole site: set it in CHANNELS_TOKEN_AUTH instead."
        yield Problem(name=name, path="", sentence=sentence)


def _build(read: dict[str, Any]) -> Configuration:
    origins = OriginRule(hosts=_allowed_hosts(), exact=read["allowed_origins"])
    return Configuration(
        policy=Policy(origins=origins, **_those_of(Policy, read)),
        rules=Rules(**_those_of(Rules, read)),
        **_those_of(Configuration, read),
    )


def _those_of(kind: Any, read: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: read[each.name] for each in fields(kind) if each.name in read}


def problems(given: Any = None) -> Iterator[Problem]:
    """Return the problems of the settings; or of the given values in their place."""
    return _read_into({}, _given() if given is None else given)


def _read_into(read: dict[str, Any], given: Any) -> Iterator[Problem]:
    """Store the value of each setting in `read`, and yield the problems of those that are wrong."""
    if not isinstance(given, Mapping):
        yield Problem(name="", path="", sentence="must be a dictionary.")
        return
    # First: the loop below would report that BACKENDS is missing, which does not help if the name
    # of the whole setting is misspelt.
    if not given and not hasattr(settings, NAME):
        yield Problem(name="", path="", sentence=f"is missing.{misspelt(dir(settings))}")
        return
    for name in given.keys() - SETTINGS.keys():
        yield _problem(str(name), unknown_key(name, SETTINGS))
    for name, (default, reader) in SETTINGS.items():
        try:
            read[name] = reader(given.get(name, default))
        except WrongValueError as error:
            yield from (_problem(name, each) for each in error.all)
    if given.get("ANONYMOUS") is True and _names_first_message(given.get("LOCATIONS")):
        sentence = "cannot be True if LOCATIONS has 'first_message': remove one of them."
        yield Problem(name="ANONYMOUS", path="", sentence=sentence)


def _problem(name: str, error: WrongValueError) -> Problem:
    return Problem(name=name, path=error.path, sentence=error.sentence)


def _names_first_message(locations: Any) -> bool:
    # The value may have any type: `problems` has reported other mistakes in it already.
    is_list = isinstance(locations, list | tuple | set | frozenset)
    return is_list and Location.FIRST_MESSAGE.value in locations


def _describe(problem: Problem, arguments: Mapping[str, Any]) -> str:
    if problem.name.lower() in arguments:
        return f"TokenAuthMiddleware({problem.name.lower()}=…){problem.path} {problem.sentence}"
    return str(problem)


def derived(build: Callable[[Configuration], T]) -> Callable[[], T]:
    """Return a function that builds an object from the settings, and caches it.

    When a setting changes, as in a test, the next call builds it again.
    """
    # Not weak: nothing else holds a reference to the lambda.
    built = lru_cache(maxsize=1)(lambda: build(configuration()))
    setting_changed.connect(lambda **_: built.cache_clear(), weak=False)
    return built


def _derive_site_keys(_: Configuration) -> SiteKeys:
    fallbacks = [force_bytes(each) for each in settings.SECRET_KEY_FALLBACKS]
    return SiteKeys.derive(force_bytes(settings.SECRET_KEY), fallbacks)


site_keys = derived(_derive_site_keys)
"""Return the keys that bind stored data and messages to this site."""


def raw_names(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the query parameter and the cookie that hold a token, if they are set.

    `arguments`: those of a middleware, which override the settings.
    """
    # From the raw values: tokens are removed even if other settings are wrong.
    given = _given() if isinstance(_given(), Mapping) else {}
    named = {each: arguments.get(each, given.get(each.upper())) for each in _NAMES}
    return {each: name for each, name in named.items() if isinstance(name, str) and name}


def secret_names() -> frozenset[str]:
    """Return the names of the settings that `raw_names` returns, for the redaction of logs."""
    return frozenset(raw_names({}).values())


def given(name: str) -> Any:
    """Return the value that the site has set, None without one. For checks."""
    return _given().get(name)


def _given() -> Any:
    return getattr(settings, NAME, {})


def _allowed_hosts() -> tuple[str, ...]:
    """Return ALLOWED_HOSTS; with DEBUG and an empty list the local names, as Django does."""
    hosts: list[str] = settings.ALLOWED_HOSTS
    return tuple(hosts) or (_LOCAL_HOSTS if settings.DEBUG else ())


def _forget(**_: Any) -> None:
    configuration.cache_clear()


setting_changed.connect(_forget, dispatch_uid=f"{__name__}._forget")
