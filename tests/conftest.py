"""Run once what pytest-django runs before each test, where no test here needs it.

They serve markers that we do not use, sites, and a box of mails that nobody reads. Each would take
a twentieth of the time of a short test.
"""

import pytest


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
