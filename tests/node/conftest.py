import pytest

from channels_token_auth.observability import outages


@pytest.fixture(autouse=True)
def _no_outage_left():
    """Outages that a test emits would be reported as the site's by `auth/ready/`."""
    yield
    outages._outages.clear()
