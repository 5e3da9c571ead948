import pytest

from channels_token_auth.observability.events import OutageEnded, emit
from channels_token_auth.observability.outages import current_outages


@pytest.fixture(autouse=True)
def _no_outage_left():
    """Outages that a test emits would be reported as the site's by `auth/ready/`."""
    yield
    for each in current_outages():
        emit(OutageEnded(service=each.service, name=each.name))
