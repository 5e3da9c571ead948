"""Create the series whose labels are known in advance, with the value 0.

Prometheus sees an increase only between two values of a series. A series that began with its first
event would hide that event from `rate` and `increase`, and so from the alerts: the first slow
revocation, or the first message of another site. And panels of a site without failures would be
empty, as if nobody had measured.
"""

from itertools import product
from typing import get_args

from ..core.close_codes import CloseReason
from ..core.limits import Limit
from ..observability.events import IgnoredBecause, Service
from . import collectors

__all__ = ["begin_at_zero"]

UNLABELLED = "none"

REVOKED = (
    CloseReason.TOKEN_REVOKED,
    CloseReason.TOKEN_EXPIRED,  # replaced
    CloseReason.USER_INACTIVE,
    CloseReason.UNAVAILABLE,  # `SWEEP_GRACE`
)


def begin_at_zero() -> None:
    """Create the series. Those with the names of backends and lanes begin with their first use."""
    for service in get_args(Service):
        collectors.services_down.labels(service)
        collectors.outages.labels(service)
    for because in get_args(IgnoredBecause):
        collectors.messages_ignored.labels(because)
    for limit in Limit:
        collectors.limits_reached.labels(limit.value)
    for cause in ("revocation", "sweep"):
        collectors.revocation_to_close_seconds.labels(cause)
    for cause, reason in product(("revocation", "sweep"), REVOKED):
        collectors.bulk_closes.labels(cause, reason.value)
    collectors.bulk_closes.labels("drain", CloseReason.UNAVAILABLE.value)
    for reason in REVOKED[:-1]:
        collectors.revocations.labels(reason.value)
    for outcome in ("accepted", "anonymous", "abandoned", *CloseReason):
        collectors.handshakes.labels(str(outcome), UNLABELLED, UNLABELLED)
    collectors.closes.labels("other", UNLABELLED)
    for reason in CloseReason:
        collectors.closes.labels(str(reason.close_code), reason.value)
        if reason.http_status is not None:
            collectors.requests_refused.labels(reason.value)
