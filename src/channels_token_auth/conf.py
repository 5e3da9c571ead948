"""The only reader of Django's settings: from dictionaries to frozen values.

Read late and cached until a setting changes, so that `override_settings` is seen.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.encoding import force_bytes

from .authorization.scopes import read_scopes
from .backends.site import Site
from .core.credentials import Location
from .core.handshake.extraction import TICKET_NAME
from .core.handshake.origin import OriginRule
from .core.handshake.policy import Policy, RefusalMode
from .core.lifecycle import Rules
from .core.site_keys import SiteKeys

__all__ = [
    "BackendSpec",
    "Configuration",
    "configuration",
    "derived",
    "override",
    "problems",
    "site_keys",
]

NAME = "CHANNELS_TOKEN_AUTH"
T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_LOCAL_HOSTS = (".localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """One entry of `BACKENDS`. Its options may hold keys, so they stay out of the repr.

    `scopes`: the path of the function that says what scopes its tokens have; None: they say it.
    """

    path: str
    options: Mapping[str, Any] = field(repr=False)
    scopes: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The settings as one value. Times are seconds; `cache` and `channel_layer` are aliases;
    `scopes` those that every socket needs.
    """

    backends: tuple[BackendSpec, ...]
    cache: str
    channel_layer: str
    denylist_seconds: float
    policy: Policy
    rules: Rules
    scopes: frozenset[str]
    sweep_grace: float | None
    sweep_interval: float
    verify_timeout: float
    verified_cache_seconds: float

    @property
    def site(self) -> Site:
        """The settings that backends may ask for in their checks."""
        return Site(
            locations=self.policy.locations,
            query_name=self.policy.query_name,
            cookie_name=self.policy.cookie_name,
            scopes=self.scopes,
            max_connection_age=self.rules.max_connection_age,
        )


@lru_cache(maxsize=1)
def configuration() -> Configuration:
    """What `CHANNELS_TOKEN_AUTH` says: the same object until a setting changes."""
    return override({})


def override(arguments: Mapping[str, Any]) -> Configuration:
    """The configuration with a middleware's arguments laid over the settings.

    Raises ImproperlyConfigured, naming the setting and what it must be.
    """
    given = _given()
    if arguments and isinstance(given, Mapping):
        given = {**given, **{name.upper(): value for name, value in arguments.items()}}
    for name, sentence in problems(given):
        raise ImproperlyConfigured(describe(name, sentence))
    read = {name: of(given.get(name, default)) for name, (default, _, of) in _TABLE.items()}
    if read["ANONYMOUS"] and "LOCATIONS" not in given:
        read["LOCATIONS"] -= {Location.FIRST_MESSAGE}
    origins = OriginRule(hosts=_allowed_hosts(), exact=read.pop("ALLOWED_ORIGINS"))
    rules = Rules(
        max_token_bytes=read["MAX_TOKEN_BYTES"],
        auth_timeout=read.pop("AUTH_TIMEOUT"),
        verify_timeout=read["VERIFY_TIMEOUT"],
        expiry_warning=read.pop("EXPIRY_WARNING"),
        max_connection_age=read.pop("MAX_CONNECTION_AGE"),
    )
    # What a lost message leaves to the sweep may not live on in the cache.
    verified_cache_seconds = min(read.pop("VERIFIED_CACHE_SECONDS"), read["SWEEP_INTERVAL"])
    policy = {name: read.pop(name.upper()) for name in _OF_POLICY}
    return Configuration(
        rules=rules,
        verified_cache_seconds=verified_cache_seconds,
        policy=Policy(origins=origins, **policy),
        **{name.lower(): value for name, value in read.items()},
    )


def derived(build: Callable[[Configuration], T]) -> Callable[[], T]:
    """What is built of the configuration, once until a setting changes."""
    built = lru_cache(maxsize=1)(lambda: build(configuration()))
    setting_changed.connect(lambda **_: built.cache_clear(), weak=False)
    return built


def _site_keys(_: Configuration) -> SiteKeys:
    fallbacks = [force_bytes(each) for each in settings.SECRET_KEY_FALLBACKS]
    return SiteKeys.derive(force_bytes(settings.SECRET_KEY), fallbacks)


site_keys = derived(_site_keys)
"""Return the keys that bind stored data and messages to this site."""


def problems(given: Any = None) -> Iterator[tuple[str, str]]:
    """Each setting that is wrong, and a sentence that says what it must be."""
    given = _given() if given is None else given
    if not isinstance(given, Mapping):
        yield "", "must be a dictionary."
        return
    for name in sorted(given.keys() - _TABLE.keys()):
        yield name, f"is no setting; known are {', '.join(_TABLE)}."
    for name, (default, sentence, read) in _TABLE.items():
        try:
            read(given.get(name, default))
        except (AttributeError, KeyError, TypeError, ValueError):
            yield name, f"must be {sentence}."
    if given.get("ANONYMOUS") is True and "first_message" in _names(given.get("LOCATIONS")):
        yield "ANONYMOUS", "cannot be True where LOCATIONS names 'first_message'."


def secret_names() -> frozenset[str]:
    """What the settings call the query parameter and the cookie that hold a token."""
    given = _given() if isinstance(_given(), Mapping) else {}
    names = (given.get("QUERY_NAME"), given.get("COOKIE_NAME"))
    return frozenset(name for name in names if isinstance(name, str) and name)


def given(name: str) -> Any:
    """What the site itself has set, None where it has not: for checks."""
    return _given().get(name)


def _names(value: Any) -> Any:
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def describe(name: str, sentence: str) -> str:
    """One of the `problems` as a line that names the setting."""
    return f"{NAME}[{name!r}] {sentence}" if name else f"{NAME} {sentence}"


def _given() -> Any:
    return getattr(settings, NAME, {})


def _allowed_hosts() -> tuple[str, ...]:
    """As Django's own: with DEBUG and no list, the local names."""
    hosts: list[str] = settings.ALLOWED_HOSTS
    return tuple(hosts) or (_LOCAL_HOSTS if settings.DEBUG else ())


def _forget(**_: Any) -> None:
    configuration.cache_clear()


setting_changed.connect(_forget, dispatch_uid=f"{__name__}._forget")


def _backends(value: Any) -> tuple[BackendSpec, ...]:
    return tuple(map(_backend, _require(value, value and isinstance(value, list | tuple))))


def _backend(entry: Any) -> BackendSpec:
    spec = {"OPTIONS": {}, "SCOPES": None, **entry}
    _require(spec, spec.keys() == {"BACKEND", "OPTIONS", "SCOPES"})
    _require(spec, isinstance(spec["BACKEND"], str) and isinstance(spec["SCOPES"], str | None))
    return BackendSpec(path=spec["BACKEND"], options=spec["OPTIONS"], scopes=spec["SCOPES"])


def _locations(value: Any) -> frozenset[Location]:
    return frozenset(Location(each) for each in _require(value, value and value != str(value)))


def _origins(value: Any) -> frozenset[str] | None:
    if value is None:
        return None
    entries = _require(value, not isinstance(value, str))
    return frozenset(_require(entry, OriginRule.is_entry(entry)) for entry in entries)


def _boolean(value: Any) -> bool:
    return bool(_require(value, isinstance(value, bool)))


def _positive(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _require(value, is_number and 0 < value < math.inf)


def _not_negative(value: Any) -> Any:
    return 0 if value == 0 and not isinstance(value, bool) else _positive(value)


def _positive_or_none(value: Any) -> Any:
    return None if value is None else _positive(value)


def _name(value: Any) -> str:
    return str(_require(value, isinstance(value, str) and _NAME.fullmatch(value)))


def _query_name(value: Any) -> str:
    return _name(_require(value, value != TICKET_NAME))


def _alias(value: Any) -> str:
    return str(_require(value, isinstance(value, str) and value))


def _require(value: Any, condition: Any) -> Any:
    if not condition:
        raise ValueError
    return value


# Each setting: its default, what it must be, and how it is read.
_TABLE: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "BACKENDS": (
        (),
        'a list of {"BACKEND": "dotted.path", "OPTIONS": {…}, "SCOPES": …}, and not an empty one',
        _backends,
    ),
    "LOCATIONS": (
        ("header", "subprotocol", "first_message", "ticket"),
        f"a list of some of {', '.join(Location)}",
        _locations,
    ),
    "ANONYMOUS": (False, "True or False", _boolean),
    "SCOPES": ((), "a list of scopes, each a text that is not empty", read_scopes),
    "REFUSAL": ("auto", f"one of {', '.join(RefusalMode)}", RefusalMode),
    "ALLOWED_ORIGINS": (
        None,
        'None (ALLOWED_HOSTS) or a list of origins such as "https://example.com", "null", "self"',
        _origins,
    ),
    "MAX_TOKEN_BYTES": (4096, "a number over 0", _positive),
    "AUTH_TIMEOUT": (10, "a number over 0", _positive),
    "VERIFY_TIMEOUT": (5, "a number over 0", _positive),
    "VERIFIED_CACHE_SECONDS": (10, "0 or a number over it", _not_negative),
    "MAX_CONNECTION_AGE": (None, "None or a number over 0", _positive_or_none),
    "EXPIRY_WARNING": (30, "a number over 0", _positive),
    "SWEEP_INTERVAL": (60, "a number over 0", _positive),
    "SWEEP_GRACE": (None, "None or a number over 0", _positive_or_none),
    "CHANNEL_LAYER": ("default", "the alias of a channel layer, as in CHANNEL_LAYERS", _alias),
    "CACHE": ("default", "the alias of a cache, as in CACHES", _alias),
    "DENYLIST_SECONDS": (30 * 24 * 60 * 60, "a number over 0", _positive),
    "QUERY_NAME": (
        "token",
        "a name of letters, digits, '-', '.' and '_', and not \"ticket\"",
        _query_name,
    ),
    "COOKIE_NAME": ("token", "a name of letters, digits, '-', '.' and '_'", _name),
}

_OF_POLICY = tuple(each.name for each in fields(Policy) if each.name.upper() in _TABLE)
