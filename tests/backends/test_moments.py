"""Times of rows and tokens, in the form that the library or a reader needs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from channels_token_auth.backends.sources.moments import local

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def test_time_is_shown_in_the_sites_time_zone():
    with timezone.override("Asia/Tokyo"):
        assert local(NOON).utcoffset() == timedelta(hours=9)
    assert local(NOON) == NOON


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("moment", [FIRST, LAST])
def test_time_at_the_end_of_the_calendar_is_shown(zone, moment):
    with timezone.override(zone):
        assert local(moment) == moment
