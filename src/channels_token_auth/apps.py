"""The Django app: what happens once, at start-up."""

import os
from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured

from . import conf
from .observability import audit, outages, recent, redaction_filter, refusal_log
from .observability.event_names import EventNames

__all__ = ["ChannelsTokenAuthConfig"]


class ChannelsTokenAuthConfig(AppConfig):
    """Registers the system checks, keeps tokens out of logs, and watches for revocations."""

    name = "channels_token_auth"
    verbose_name = "Channels token authentication"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415 - once apps are loaded
        from .revocation import triggers  # noqa: PLC0415 - once apps are loaded

        # First of these, because the others may log: no line is written before tokens are redacted.
        redaction_filter.install(conf.secret_names())
        audit.start(_event_names)
        outages.start()
        recent.start()
        refusal_log.start()
        triggers.wire()
        _start_metrics()


def _event_names() -> EventNames:
    try:
        return conf.configuration().audit_event_names
    except ImproperlyConfigured:  # the checks report it; a record is written all the same
        return EventNames.SIGNALS


def _start_metrics() -> None:
    """Count from now on, if prometheus-client is installed.

    Not from the first request to `metrics/` on: a process that serves only WebSockets gets none,
    and one worker of several may get it after thousands of handshakes. By name, since no import of
    this module may need the package.
    """
    if find_spec("prometheus_client"):
        try:
            import_module("channels_token_auth.metrics")
        except OSError as error:  # it opens a file of this process in the shared folder
            folder = f'PROMETHEUS_MULTIPROC_DIR is "{os.environ.get("PROMETHEUS_MULTIPROC_DIR")}"'
            remedy = "make this folder, in which the user of the server can write"
            raise ImproperlyConfigured(f"{folder}: {error.strerror}: {remedy}.") from error
