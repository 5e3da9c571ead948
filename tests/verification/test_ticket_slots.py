"""A token has a limited number of tickets at a time, and to refuse one more is cheap."""

import pytest
from django.core.cache import caches

from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Identity
from channels_token_auth.verification.tickets import Tickets
from tests.node.members import FakeMember
from tests.verification.odd_caches import Counting, cache

LIMIT = 8
AUTHENTICATION = Authentication(backend="jwt", token_id="t", location=Location.HEADER)


@pytest.fixture
def store(settings):
    """The cache, which notes each command."""
    settings.CACHES = cache(Counting)
    return caches["default"]


@pytest.fixture
def issue(store):
    tickets = Tickets([], cache="default", limit=LIMIT)
    identity = Identity(user=FakeMember().user, authentication=AUTHENTICATION)
    return lambda: tickets.issue(identity, origin=None)


def test_first_ticket_of_a_token_takes_two_commands(store, issue):
    issue()
    assert len(store.added) == 2  # its slot, and the ticket itself
    assert store.asked == []


def test_ticket_over_the_limit_takes_two_commands(store, issue):
    for _ in range(LIMIT):
        issue()
    store.added.clear()
    store.asked.clear()
    with pytest.raises(TokenAuthError):
        issue()
    assert len(store.added) == 1
    assert len(store.asked) == 1


def test_slot_that_is_free_again_is_found_in_any_place(store, issue):
    for _ in range(LIMIT):
        issue()
    slots = store.added[-2::-2]
    store.delete(slots[0])
    issue()
    with pytest.raises(TokenAuthError):
        issue()
