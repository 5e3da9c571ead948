"""System checks: what is wrong with the settings, and what a loosened one costs."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from . import conf
from .core.credentials import Location
from .verification.authenticator import build_backend

__all__ = ["check_settings"]

SAFE_TOKEN_BYTES = 4096
OURS = "channels_token_auth.backends."
EXTRAS = {"rest_framework": "drf"}
"""Those that are not called as their backend's module is."""
LAST = (
    f"{OURS}session.SessionBackend",
    f"{OURS}jwt.JWTBackend",
    f"{OURS}rest_framework.RESTFrameworkBackend",
    f"{OURS}introspection.IntrospectionBackend",
)
"""Those that know little of how a token ends, the least last."""
UNSHARED_CACHES = {
    "django.core.cache.backends.dummy.DummyCache",
    "django.core.cache.backends.locmem.LocMemCache",
}


@checks.register(checks.Tags.security)
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Every message on `CHANNELS_TOKEN_AUTH`."""
    wrong = [
        checks.Error(
            conf.describe(name, sentence),
            hint="The README has a table of all settings, and what each means.",
            id="channels_token_auth.E001",
        )
        for name, sentence in conf.problems()
    ]
    return [*wrong] if wrong else [*_backends(), *_order(), *_cache(), *_loosened()]


def _backends() -> Iterator[checks.CheckMessage]:
    names: Counter[str] = Counter()
    for spec in conf.configuration().backends:
        try:
            backend = build_backend(spec)
        except ImproperlyConfigured as error:
            yield checks.Error(str(error), hint=_remedy(spec), id="channels_token_auth.E002")
        else:
            names[backend.name] += 1
            yield from backend.check()
    for name in (name for name, count in names.items() if count > 1):
        yield checks.Error(
            f"Several BACKENDS have the name {name!r}: of what one of them let in, another would"
            " be asked whether it still stands.",
            hint="Give each a name of its own, in its OPTIONS as {'name': '…'}.",
            id="channels_token_auth.E005",
        )


def _remedy(spec: conf.BackendSpec) -> str:
    """What to do about a backend that cannot be built."""
    try:
        import_string(spec.path)
    except ImportError as error:
        module = spec.path.removeprefix(OURS).split(".")[0]
        is_foreign = error.name is not None and not error.name.startswith("channels_token_auth")
        if spec.path.startswith(OURS) and is_foreign:
            extra = EXTRAS.get(module, module)
            return f'Install what it needs: pip install "channels-token-auth[{extra}]"'
    return "Correct the entry in BACKENDS: the dotted paths, and the OPTIONS that it takes."


def _order() -> Iterator[checks.CheckMessage]:
    specs = [spec for spec in conf.configuration().backends if spec.path.startswith(OURS)]
    for first, second in pairwise(specs):
        if _rank(first) > _rank(second):
            yield checks.Warning(
                f"BACKENDS has {first.path!r} before {second.path!r}: a token that both accept is"
                " the first one's, which knows less of how it ends.",
                hint=f"Put {second.path!r} first.",
                id="channels_token_auth.W006",
            )


def _rank(spec: conf.BackendSpec) -> int:
    return LAST.index(spec.path) + 1 if spec.path in LAST else 0


def _cache() -> Iterator[checks.CheckMessage]:
    alias = conf.configuration().cache
    has_tickets = Location.TICKET in conf.configuration().policy.locations
    if alias not in settings.CACHES:
        yield checks.Error(
            f"CACHE is {alias!r}, and CACHES has no such alias.",
            hint=f"Known are {', '.join(settings.CACHES)}.",
            id="channels_token_auth.E004",
        )
    elif has_tickets and _is_unshared(alias) and not settings.DEBUG:
        yield checks.Warning(
            f"CACHE is {alias!r}, which no other process sees: a ticket that one process issued is"
            " invalid at every other.",
            hint="Use Redis, Memcached or a database, or take 'ticket' out of LOCATIONS.",
            id="channels_token_auth.W004",
        )


def _is_unshared(alias: str) -> bool:
    return settings.CACHES[alias]["BACKEND"] in UNSHARED_CACHES


def _loosened() -> Iterator[checks.CheckMessage]:
    policy = conf.configuration().policy
    if policy.anonymous and conf.configuration().scopes:
        yield checks.Warning(
            "ANONYMOUS lets nobody in without a token where SCOPES are required of every socket.",
            hint="Take one of them away; for some routes, give it to their middleware instead.",
            id="channels_token_auth.W005",
        )
    if policy.origins.exact and "null" in policy.origins.exact and not settings.DEBUG:
        yield checks.Error(
            "ALLOWED_ORIGINS has 'null': every sandboxed frame of any site may open sockets.",
            hint="List the origins of your pages; 'null' is for pages opened from a file.",
            id="channels_token_auth.E003",
        )
    if Location.QUERY in policy.locations:
        yield checks.Warning(
            "LOCATIONS has 'query': tokens stand in URLs, which servers, proxies, browsers and"
            " error reporters write down.",
            hint="Let browsers use 'subprotocol' and other clients 'header' (RFC 9700 §4.3.2).",
            id="channels_token_auth.W001",
        )
    if Location.COOKIE in policy.locations:
        yield checks.Warning(
            "LOCATIONS has 'cookie': a browser adds it to handshakes that other sites' pages"
            " start, and only the Origin check stands between.",
            hint="Keep ALLOWED_ORIGINS exact, and the cookie SameSite, Secure and HttpOnly.",
            id="channels_token_auth.W002",
        )
    if policy.max_token_bytes > SAFE_TOKEN_BYTES:
        yield checks.Warning(
            f"MAX_TOKEN_BYTES is over {SAFE_TOKEN_BYTES}: uvicorn's default WebSocket"
            " implementation hangs for ever on a handshake line over 8,192 bytes, and nginx"
            " refuses one.",
            hint="Keep tokens small, or run a server that answers: see the servers page.",
            id="channels_token_auth.W003",
        )
