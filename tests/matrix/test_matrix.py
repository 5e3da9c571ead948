"""Every backend × every location × every state of a token: what the table of features says."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from tests.matrix.kind import ANYWHERE, LATER, State, new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import asking, site, ticket_for, visit

pytestmark = pytest.mark.django_db
# A location reaches a backend as a scheme, as a cookie or as a ticket, and no database tells them
# apart: of bad tokens, one location of each kind, on SQLite.
WAYS = (Location.HEADER, Location.COOKIE, Location.TICKET)
on_each_database = pytest.mark.database


events = pytest.mark.parametrize(
    ("kind", "event"),
    [
        pytest.param(kind, event, id=f"{kind}-{event.name.lower()}")
        for kind in KINDS
        for event in kind.events
    ],
)


def cases(states, locations=ANYWHERE):
    """The table: each kind, in those of its locations, with a token in each of these states."""
    return pytest.mark.parametrize(
        ("kind", "location", "state"),
        [
            pytest.param(kind, location, state, id=f"{kind}-{location}-{state.name.lower()}")
            for kind in KINDS
            for location in kind.locations
            if location in locations
            for state in kind.states
            if state in states
        ],
    )


@pytest.fixture(autouse=True)
def open_site(kind):
    with site(kind):
        yield


@pytest.fixture
def user(db):
    return new_user()


@cases({State.VALID})
@pytest.mark.asvs("7.2.1")
def test_good_token_brings_its_user_wherever_it_stands(kind, location, state, user):
    token = kind.valid(user)
    presented = ticket_for(token, kind)[1] if location is Location.TICKET else token
    with asking(kind.queries):
        scope = visit(presented, location).scope
    assert scope["user"] == user
    assert (scope["auth"].backend, scope["auth"].location) == (kind.name, location)
    assert token not in repr(scope)
    assert presented not in repr(scope)


@cases(set(State) - {State.VALID}, WAYS)
def test_any_other_token_is_refused_as_what_it_is(kind, location, state, user):
    token = kind.states[state](user)
    code = kind.answer(state)
    with asking(kind.queries):
        if location is Location.TICKET:
            assert ticket_for(token, kind) == (code.http_status, None)
        else:
            refused = visit(token, location)
            assert (refused.scope, refused.code, refused.slug) == (None, code.close_code, code)


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        pytest.param(kind, location, id=f"{kind}-{location}")
        for kind in KINDS
        for location in ANYWHERE
        if location not in kind.locations
    ],
)
def test_token_is_not_looked_for_where_it_does_not_belong(kind, location, user):
    token = kind.valid(user)
    with asking(0):
        assert visit(token, location).code == CloseReason.TOKEN_INVALID.close_code


@on_each_database
@events
def test_ticket_falls_with_what_it_was_issued_for(kind, event, user):
    token = kind.valid(user)
    _, ticket = ticket_for(token, kind)
    kind.events[event](token, user)
    with asking(kind.queries):
        came = visit(ticket, Location.TICKET)
    assert came.slug == LATER[event]
