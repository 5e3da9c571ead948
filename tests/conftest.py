"""Replace fixtures of pytest-django.

Most of them run before each test, and no test here needs that: they serve markers that we do not
use, sites, and a box of mails that nobody reads. Each would take a twentieth of the time of a short
test.
"""

import pytest

from tests.plugins.state import close_connections_of_the_thread


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """End the last test's connection: PostgreSQL drops no database that is in use."""
    yield
    close_connections_of_the_thread()


@pytest.fixture(scope="session")
def _dj_autoclear_mailbox() -> None:
    pass


@pytest.fixture(scope="session")
def _django_clear_site_cache() -> None:
    pass


@pytest.fixture(scope="session")
def _django_isolate_apps() -> None:
    pass


@pytest.fixture(scope="session")
def _django_set_urlconf() -> None:
    pass


@pytest.fixture(scope="session")
def _template_string_if_invalid_marker() -> None:
    pass
