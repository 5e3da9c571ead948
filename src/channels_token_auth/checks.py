"""System checks: what is wrong with the settings, and what a loosened one costs."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from . import conf
from .core.credentials import Location
from .verification.authenticator import build_backend

__all__ = ["check_settings"]

SAFE_TOKEN_BYTES = 4096


@checks.register(checks.Tags.security)
def check_settings(**_: Any) -> list[checks.CheckMessage]:
    """Every message on `CHANNELS_TOKEN_AUTH`."""
    wrong = [
        checks.Error(conf.describe(name, sentence), id="channels_token_auth.E001")
        for name, sentence in conf.problems()
    ]
    return [*wrong] if wrong else [*_backends(), *_loosened()]


def _backends() -> Iterator[checks.CheckMessage]:
    for spec in conf.configuration().backends:
        try:
            yield from build_backend(spec).check()
        except ImproperlyConfigured as error:
            yield checks.Error(str(error), id="channels_token_auth.E002")


def _loosened() -> Iterator[checks.CheckMessage]:
    policy = conf.configuration().policy
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
