"""Every backend × every location × every state of a token: what the table of features says."""

import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from channels_token_auth import Revocations, backends
from channels_token_auth.conf import configuration
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.identity import Grant
from channels_token_auth.verification.authenticator import build_backend
from tests.matrix.kind import ANYWHERE, LATER, State, new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import asking, site, ticket_for, visit

pytestmark = pytest.mark.django_db
BATCH = 3
# A location reaches a backend as a scheme, as a cookie or as a ticket, and no database tells them
# apart: of bad tokens, one location of each kind, on SQLite.
WAYS = (Location.HEADER, Location.COOKIE, Location.TICKET)
on_each_database = pytest.mark.database


def _segment(text):
    return urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


HEADS = ("", "[]", "7", '{"alg":null}', '{"alg":"HS256"}', '{"alg":["RS256"]}', "[" * 1500)
BODIES = ("", "null", "[]", '{"exp":"soon"}', '{"exp":1e400,"sub":{}}', "[" * 1500)
RUBBISH = (
    *("a", "0", "'", '"', "%00", "\\0", "{}", "null", "..", "...", "a.b.c", "-1", "None", "\u0101"),
    *("0" * 15, "0" * 32, "0" * 40, "0" * 64, "z" * 30, "z" * 32, "9" * 4096, "\U0001f510" * 8),
    *("' OR 1=1 --", "../../etc/passwd", "\ufeff" * 32, "\u202e" * 32, "\u0130" * 32, "١" * 40),
    *(f"{_segment(head)}.{_segment(body)}.{_segment('x')}" for head in HEADS for body in BODIES),
)
"""What looks like a token of some kind and is none, and what looks like nothing."""

kinds = pytest.mark.parametrize("kind", KINDS, ids=repr)


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


@pytest.fixture
def backend(kind):
    with site(kind):
        (spec,) = configuration().backends
        yield build_backend(spec)


@pytest.fixture
def user(db):
    return new_user()


@cases({State.VALID})
@pytest.mark.asvs("7.2.1")
def test_good_token_brings_its_user_wherever_it_stands(backend, kind, location, state, user):
    token = kind.valid(user)
    presented = ticket_for(token, kind)[1] if location is Location.TICKET else token
    with asking(kind.queries):
        scope = visit(presented, location).scope
    assert scope["user"] == user
    assert (scope["auth"].backend, scope["auth"].location) == (kind.name, location)
    assert token not in repr(scope)
    assert presented not in repr(scope)


@cases(set(State) - {State.VALID}, WAYS)
def test_any_other_token_is_refused_as_what_it_is(backend, kind, location, state, user):
    token = kind.states[state](user)
    code = kind.answer(state)
    with asking(kind.queries):
        if location is Location.TICKET:
            assert ticket_for(token, kind) == (code.http_status, None)
        else:
            refused = visit(token, location)
            assert (refused.scope, refused.code, refused.slug) == (None, code.close_code, code)


@on_each_database
@pytest.mark.parametrize(
    ("kind", "state"),
    [
        pytest.param(kind, state, id=f"{kind}-{state.name.lower()}")
        for kind in KINDS
        for state in kind.states
    ],
)
def test_backend_says_so_by_itself(backend, kind, state, user):
    credential = _presented(kind, kind.states[state](user))
    verdict = backend.authenticate([credential])[0] if backend.recognizes(credential) else None
    refusal = verdict or TokenAuthError(CloseReason.TOKEN_INVALID)  # where nobody knows it
    assert getattr(refusal, "code", None) == kind.answer(state)


@on_each_database
@kinds
def test_no_text_makes_it_raise_or_write_and_no_text_is_let_in(backend, kind):
    batch = [_presented(kind, text) for text in RUBBISH]
    with asking(len(RUBBISH) * kind.queries if kind.is_one_by_one else kind.queries):
        verdicts = backend.authenticate(batch)
    assert {getattr(each, "code", None) for each in verdicts} <= {None, CloseReason.TOKEN_INVALID}


@pytest.mark.parametrize(
    ("kind", "location"),
    [
        pytest.param(kind, location, id=f"{kind}-{location}")
        for kind in KINDS
        for location in ANYWHERE
        if location not in kind.locations
    ],
)
def test_token_is_not_looked_for_where_it_does_not_belong(backend, kind, location, user):
    token = kind.valid(user)
    with asking(0):
        assert visit(token, location).code == CloseReason.TOKEN_INVALID.close_code


@on_each_database
@events
def test_ticket_falls_with_what_it_was_issued_for(backend, kind, event, user):
    token = kind.valid(user)
    _, ticket = ticket_for(token, kind)
    kind.events[event](token, user)
    with asking(kind.queries):
        came = visit(ticket, Location.TICKET)
    assert came.slug == LATER[event]


@on_each_database
@events
def test_socket_falls_in_the_sweep_with_whatever_ends_its_token(backend, kind, event, user):
    token = kind.valid(user)
    others, held = _held(backend, kind, kind.valid(new_user())), _held(backend, kind, token)
    kind.events[event](token, user)
    with asking(kind.queries * (2 if kind.is_one_by_one else 1)):
        stands, ended = backend.revalidate([others, held])
    assert ended.code is LATER[event]
    assert stands.authentication == others.authentication
    assert stands.handle == others.handle


@on_each_database
@kinds
def test_sweep_costs_what_a_batch_costs(backend, kind):
    held = [_held(backend, kind, kind.valid(new_user())) for _ in range(BATCH)]
    with asking(kind.queries * (BATCH if kind.is_one_by_one else 1)):
        verdicts = backend.revalidate(held)
    assert [verdict.user.pk for verdict in verdicts] == [each.user_pk for each in held]


@on_each_database
@kinds
def test_batch_costs_what_is_said_and_keeps_its_order(backend, kind):
    users = [new_user() for _ in range(BATCH)]
    asked = [_presented(kind, kind.valid(user)) for user in users]
    with asking(kind.queries * (BATCH if kind.is_one_by_one else 1)):
        verdicts = backend.authenticate(asked)
    assert [verdict.user for verdict in verdicts] == users


@on_each_database
@kinds
def test_expiry_and_scopes_are_told_where_tokens_have_them(backend, kind, user):
    authentication = _held(backend, kind, kind.valid(user)).authentication
    assert (authentication.expires_at is not None) == kind.expires
    assert authentication.scopes == ({"read", "write"} if kind.has_scopes else set())


@on_each_database
@pytest.mark.parametrize("owner", ["known", "unknown"])
@kinds
def test_token_that_is_ended_lives_on_only_where_the_denylist_is_told(backend, kind, user, owner):
    token = kind.valid(user)
    held = _held(backend, kind, token)
    by_id = replace(held, user_pk=None) if owner == "unknown" else held
    assert backend.revoke([by_id]) == [kind.keeps_rows] == [backend.revocations is Revocations.ROWS]
    is_accepted = visit(token, kind.locations[0]).scope is not None
    assert is_accepted != kind.keeps_rows


def test_every_backend_of_the_library_is_in_the_matrix():
    package = Path(backends.__file__).parent
    written = {
        f"{backends.__name__}.{file.relative_to(package).parts[0].removesuffix('.py')}.{name}"
        for file in package.rglob("*.py")
        for name in re.findall(
            r"^class ([A-Z]\w+(?<!Base)(?<!BaseToken)Backend)\b", file.read_text(), re.MULTILINE
        )
    }
    contract = f"{backends.__name__}.contract.TokenBackend"
    assert {kind.path for kind in KINDS} == written - {contract}


def _presented(kind, token):
    return Credential(location=kind.locations[0], secret=Secret(token))


def _held(backend, kind, token):
    (verdict,) = backend.authenticate([_presented(kind, token)])
    return Grant(
        user_pk=verdict.user.pk, authentication=verdict.authentication, handle=verdict.handle
    )
