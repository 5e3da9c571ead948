"""From the logout at a certified OpenID provider to close code 4410, over real servers."""

from collections.abc import Iterator

import pytest

from tests.providers.single_sign_on import SingleSignOn, single_sign_on

BOUND = 60.0  # it only ends what is broken
"""Seconds: far less than the sweep, which comes once a minute."""


@pytest.fixture
def site(tmp_path) -> Iterator[SingleSignOn]:
    """Two nodes that share Redis and a database, and npm's oidc-provider."""
    with single_sign_on(tmp_path) as site:
        yield site


@pytest.mark.asvs("7.6.1")
@pytest.mark.slow  # it starts two servers, a provider and Redis
def test_logout_at_the_provider_ends_that_login_on_every_node_and_no_other(site):
    first, second = site.nodes
    laptop, phone = site.log_in("ada"), site.log_in("ada")
    sockets = [site.open(node, laptop.token) for node in (first, second)]
    others = [site.open(node, phone.token) for node in (first, second)]

    site.rotate_keys()
    laptop.log_out_at_provider()

    assert [each.closes(BOUND) for each in sockets] == [4410, 4410]
    assert all(map(site.is_open, others))
    # The JWT has not expired: it is denied.
    assert [site.open(node, laptop.token).closes(BOUND) for node in (first, second)] == [4410, 4410]
    assert (laptop.is_logged_in(), phone.is_logged_in()) == (False, True)
    assert site.is_open(site.open(second, phone.token))
