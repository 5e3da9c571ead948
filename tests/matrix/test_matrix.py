"""Every backend × every location × every state of a token: what the table of features says."""

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from tests.matrix.kind import ANYWHERE, LATER, State, new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import asking, site, ticket_for, visit

pytestmark = pytest.mark.django_db
# A location reaches a backend as a scheme, as a cookie or as a ticket, and no database tells them
# apart: of bad tokens, one location of each kind, on SQLite. No backend decides by it, either: all
# states in the first of these locations, and one for each answer in the others.
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


def cases(found):
    """The table: kinds, in some of their locations, with a token in some of its states."""
    return pytest.mark.parametrize(
        ("kind", "location", "state"),
        [
            pytest.param(kind, location, state, id=f"{kind}-{location}-{state.name.lower()}")
            for kind, location, state in found
        ],
    )


def bad_tokens():
    for kind in KINDS:
        states = [state for state in kind.states if state is not State.VALID]
        one_each = {kind.answer(state): state for state in states}.values()
        first, *others = (location for location in WAYS if location in kind.locations)
        yield from ((kind, first, state) for state in states)
        yield from ((kind, location, state) for location in others for state in one_each)


@pytest.fixture(autouse=True)
def open_site(kind):
    with site(kind):
        yield


@pytest.fixture
def user(db):
    return new_user()


@cases((kind, location, State.VALID) for kind in KINDS for location in kind.locations)
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


@cases(bad_tokens())
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
