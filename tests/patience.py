"""Let the library and the communicators wait for a minute in the project's own tests.

Each of these times is a few seconds, which a busy machine exceeds between two steps of a test. A
good program is done before either time ends, so only a failing test takes longer. A test that needs
a time that ends sets it; `receive_nothing` keeps its own.
"""

import sys
from functools import wraps
from inspect import signature

from asgiref.testing import ApplicationCommunicator
from channels.testing import HttpCommunicator, WebsocketCommunicator

from channels_token_auth.backends.introspection.client import IntrospectionClient
from channels_token_auth.backends.sources.remote import Remote
from channels_token_auth.backends.sources.sessions import cycles
from channels_token_auth.cluster import layer
from channels_token_auth.conf import Configuration
from channels_token_auth.conf.table import SETTINGS
from channels_token_auth.revocation import request_end
from channels_token_auth.testing import TokenWebsocketCommunicator
from channels_token_auth.verification.lanes import lane_id

__all__ = ["PATIENCE", "READING", "wait_for_a_minute"]

PATIENCE = 60.0
# The module that reads the settings: `conf` has a function of its name.
READING = sys.modules[Configuration.__module__]
TIMES = {
    cycles: ("SOON",),
    lane_id: ("MAX_WAIT",),
    layer: ("TIMEOUT", "HEAD_START"),
    request_end: ("LONGEST",),
}
# The default of the timeout that backends pass to these.
OF_A_SERVICE = 3
CLIENTS = (IntrospectionClient, Remote)
# The methods that a class has itself: those of its parents are replaced in these.
WAITING = {
    ApplicationCommunicator: ("receive_output", "wait"),
    HttpCommunicator: ("get_response",),
    WebsocketCommunicator: ("connect", "receive_from", "receive_json_from", "disconnect"),
    TokenWebsocketCommunicator: (
        "connect",
        "reauthenticate",
        "receive_auth_from",
        "receive_output",
        "wait",
    ),
}


def wait_for_a_minute() -> None:
    """Replace the times of the library, and those of methods for which a test names none."""
    for module, names in TIMES.items():
        for name in names:
            setattr(module, name, PATIENCE)
    # The table itself keeps the defaults that users have.
    _, reader = SETTINGS["VERIFY_TIMEOUT"]
    READING.SETTINGS = SETTINGS | {"VERIFY_TIMEOUT": (PATIENCE, reader)}
    for kind in CLIENTS:
        kind.__init__ = _patient_client(kind.__init__)
    for kind, names in WAITING.items():
        for name in names:
            setattr(kind, name, _patient(getattr(kind, name)))


def _patient_client(init):
    @wraps(init)
    def call(self, *args, timeout, **given):
        init(self, *args, timeout=PATIENCE if timeout == OF_A_SERVICE else timeout, **given)

    return call


def _patient(method):
    parameters = signature(method)

    @wraps(method)  # the signature stays as it is, which the reference shows
    async def call(*args, **given):
        bound = parameters.bind(*args, **given)
        bound.arguments.setdefault("timeout", PATIENCE)
        return await method(*bound.args, **bound.kwargs)

    return call
