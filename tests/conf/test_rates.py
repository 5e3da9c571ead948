"""Rates are read in each spelling that the documents name."""

import pytest

from channels_token_auth import conf
from channels_token_auth.core.limits import Rate

BACKENDS = [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]


@pytest.mark.parametrize(
    ("periods", "seconds"),
    [
        ("s sec second seconds", 1),
        ("m min minute minutes", 60),
        ("h hr hour hours", 3600),
        ("d day days", 86400),
    ],
)
def test_rate_has_the_period_of_its_name(settings, periods, seconds):
    for period in periods.split():
        limits = {"FAILURES": f"30/{period}"}
        settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": BACKENDS, "LIMITS": limits}
        assert conf.configuration().limits.failures == Rate(30, seconds)
