"""Check the ASGI servers: report versions with known faults, and a runserver without WebSockets."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from django.conf import settings
from django.core import checks
from django.core.management import get_commands

__all__ = ["development_server", "installed_servers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of a server in versions before `fixed_in`; if that is empty, in every version."""

    server: str
    fixed_in: str = ""
    sentence: str
    hint: str

    @property
    def concerns(self) -> str:
        """Return the server and the affected versions in words."""
        return f"{self.server} before {self.fixed_in}" if self.fixed_in else self.server


LIMIT = "UVICORN_WS_MAX_SIZE"
"""The only size limit that a check can read: uvicorn takes options from the environment, too."""

# An upgrade removes these. Those in TRAPS are in every version: they only inform, because the
# configuration or a proxy may have removed them already.
HOLES = (
    Fault(
        server="daphne",
        fixed_in="4.2.2",
        sentence="has CVE-2026-44545 (unbounded messages before authentication) and"
        " CVE-2026-44546 (forged headers in the scope)",
        hint='Install "daphne>=4.2.2".',
    ),
    Fault(
        server="granian",
        fixed_in="2.7.2",
        sentence="passes all offered subprotocols as one text, a token among them, to every"
        " middleware outside this library",
        hint='Install "granian>=2.8.1", the lowest version that is tested.',
    ),
    Fault(
        server="uvicorn",
        fixed_in="0.50.1",
        sentence="passes all offered subprotocols as one text, a token among them, to every"
        " middleware outside this library",
        hint='Install "uvicorn>=0.50.1".',
    ),
)
TRAPS = (
    Fault(
        server="uvicorn",
        sentence="accepts messages of up to 16 MiB from clients that are not authenticated yet, and"
        " inflates compressed ones to that size",
        hint="Start it with --ws-max-size 65536 and --ws-per-message-deflate false. If it is, add"
        " this id to SILENCED_SYSTEM_CHECKS.",
    ),
    Fault(
        server="hypercorn",
        sentence="inflates compressed messages of clients that are not authenticated yet before it"
        " looks at their size, whatever websocket_max_message_size is",
        hint="Have the proxy remove the header Sec-WebSocket-Extensions, or use another server. If"
        " it does, add this id to SILENCED_SYSTEM_CHECKS.",
    ),
)


def installed_servers() -> Iterator[checks.CheckMessage]:
    """Report servers whose installed version has a known fault.

    With DEBUG on, only servers in INSTALLED_APPS: the others may be installed for another project.
    """
    for fault in HOLES:
        if _has(fault):
            level = checks.Info if settings.DEBUG else checks.Warning
            yield level(
                f"{fault.concerns} {fault.sentence}.",
                hint=fault.hint,
                id="channels_token_auth.W011",
            )
    for fault in TRAPS:
        if _has(fault) and not (fault.server == "uvicorn" and LIMIT in os.environ):
            yield checks.Info(
                f"{fault.concerns} {fault.sentence}.",
                hint=fault.hint,
                id="channels_token_auth.I003",
            )


def _has(fault: Fault) -> bool:
    if settings.DEBUG and fault.server not in settings.INSTALLED_APPS:
        return False
    try:
        # By its metadata: an import would run the server's code in each management command.
        installed = metadata.version(fault.server)
    except metadata.PackageNotFoundError:
        return False
    return not fault.fixed_in or _numbers(installed) < _numbers(fault.fixed_in)


def _numbers(version: str) -> tuple[int, ...]:
    # Releases only: a pre-release counts as its release.
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def development_server() -> Iterator[checks.CheckMessage]:
    """Report a `runserver` that serves no WebSocket. Only with DEBUG on: it is for development."""
    if not settings.DEBUG:
        return
    # daphne replaces the command, if it comes first in INSTALLED_APPS.
    # The command of `staticfiles`, which replaces Django's own, starts a WSGI server as well.
    if get_commands().get("runserver") in ("django.core", "django.contrib.staticfiles"):
        yield checks.Info(
            "runserver starts a WSGI server, which answers every WebSocket with 404.",
            hint="Put 'daphne' first in INSTALLED_APPS and set ASGI_APPLICATION; or start an ASGI"
            " server such as uvicorn yourself, and add this id to SILENCED_SYSTEM_CHECKS.",
            id="channels_token_auth.I004",
        )
    elif not getattr(settings, "ASGI_APPLICATION", None):
        yield checks.Info(
            "ASGI_APPLICATION is not set, so runserver does not use your asgi.py.",
            hint='Set ASGI_APPLICATION = "yourproject.asgi.application".',
            id="channels_token_auth.I005",
        )
