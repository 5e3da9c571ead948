"""Read the setting `LIMITS`."""

import re
from collections.abc import Mapping
from typing import Any

from ..core.credentials import Secret
from ..core.limits import ConnectionLimits, LimitPolicy, Limits, Rate, WaitingLimits
from .problem import WrongValueError, must_be
from .readers import Fields, one_of, or_none, read_entry, read_positive, read_whole

__all__ = ["read_limits"]

# No rate of 0, which would refuse all clients: None turns a limit off. 15 digits: more than a
# client can send in the longest period, and few enough for `int`.
_RATE = re.compile(r"(?P<count>[1-9][0-9]{0,14})/(?P<period>[a-z]+)")
# Django REST framework looks at the first letter only, and so takes "month" for a minute.
_PERIODS = {
    1: ("s", "sec", "secs", "second", "seconds"),
    60: ("m", "min", "mins", "minute", "minutes"),
    60 * 60: ("h", "hr", "hrs", "hour", "hours"),
    24 * 60 * 60: ("d", "day", "days"),
}
_SECONDS = {name: seconds for seconds, names in _PERIODS.items() for name in names}


def read_limits(value: Any) -> Limits:
    read = read_entry(value, _FIELDS)
    # A default does not apply to the address of a proxy, but a value that the site has set does.
    named = {key.lower(): each for key, each in read.items()}
    return Limits(**named, is_default_failures="FAILURES" not in value)


def read_rate(value: Any) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    seconds = _SECONDS.get(match["period"]) if match else None
    if match is None or seconds is None:
        raise must_be(value, 'a rate such as "30/min": a number over 0, and s, min, hour or day')
    return Rate(int(match["count"]), seconds)


def _read_waiting(value: Any) -> WaitingLimits:
    read = read_entry(value, _WAITING)
    is_default = not isinstance(value, Mapping) or "address" not in value
    return WaitingLimits(**read, is_default_address=is_default)


def _read_connections(value: Any) -> ConnectionLimits:
    return ConnectionLimits(**read_entry(value, _CONNECTIONS))


def _read_storage(value: Any) -> Secret:
    # The value is not shown: it may have a password in it.
    if not isinstance(value, str) or "://" not in value:
        raise WrongValueError("must be None or a URI, such as redis://localhost:6379/0.")
    return Secret(value)


_DEFAULTS = Limits()
_rate, _count = or_none(read_rate), or_none(read_whole)
_WAITING: Fields = {
    "address": (_DEFAULTS.waiting.address, _count),
    "node": (_DEFAULTS.waiting.node, _count),
}
_CONNECTIONS: Fields = {
    "user": (None, _count),
    "token": (None, _count),
    "policy": (LimitPolicy.REFUSE.value, one_of(LimitPolicy)),
}
_FIELDS: Fields = {
    # The one rate with a default: see `core.limits.Limits`.
    "FAILURES": ("30/min", _rate),
    "HANDSHAKES": (None, _rate),
    "WAITING": ({}, _read_waiting),
    "CONNECTIONS": ({}, _read_connections),
    "TICKETS": (_DEFAULTS.tickets, _count),
    "MESSAGES": (None, _rate),
    "BYTES": (None, _rate),
    "IDLE": (None, or_none(read_positive)),
    "STORAGE": (None, or_none(_read_storage)),
}
