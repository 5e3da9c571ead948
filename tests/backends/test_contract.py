"""Every backend keeps the contract: a table of backends × what each of them promises.

The rows are the kinds of tests/matrix. A promise of one backend alone has its test in
the file of that backend.
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.module_loading import import_string

from channels_token_auth import BaseTokenBackend, Revocations, TokenBackend, backends
from channels_token_auth.conf import configuration
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Credential, Location, Secret
from channels_token_auth.core.identity import Authentication, Grant
from channels_token_auth.verification.authenticator import build_backend
from tests.backends.checking import outcome
from tests.matrix.kind import LATER, State, new_user
from tests.matrix.kinds import KINDS
from tests.matrix.site import asking, site, visit

pytestmark = pytest.mark.django_db
BATCH = 3
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ERROR = 40  # the level of Django's system checks


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
"""Texts that look like a token of some kind, and texts that look like nothing."""

each_kind = pytest.mark.parametrize("kind", KINDS, ids=repr)


def each_state(states=State):
    """Try each kind with a token in each of these states."""
    return pytest.mark.parametrize(
        ("kind", "state"),
        [
            pytest.param(kind, state, id=f"{kind}-{state.name.lower()}")
            for kind in KINDS
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


def presented(kind, token, location=None):
    return Credential(location=location or kind.locations[0], secret=Secret(token))


def grant_of(backend, kind, token):
    """Return the grant that a socket holds which this token opened."""
    (verdict,) = backend.authenticate([presented(kind, token)])
    return Grant(
        user_pk=verdict.user.pk, authentication=verdict.authentication, handle=verdict.handle
    )


def within(kind, tokens=1):
    """Allow the queries of one batch of so many tokens, and no other statement than SELECT."""
    return asking(kind.queries * (tokens if kind.is_one_by_one else 1))


# Verdicts on credentials


@pytest.mark.database
@pytest.mark.parametrize(
    ("kind", "location"),
    [
        pytest.param(kind, location, id=f"{kind}-{location}")
        for kind in KINDS
        for location in kind.locations
        if location is not Location.TICKET
    ],
)
def test_token_is_its_users_identity(backend, kind, location, user):
    (verdict,) = backend.authenticate([presented(kind, kind.valid(user), location)])
    assert verdict.user == user
    authentication = verdict.authentication
    assert isinstance(authentication, Authentication)
    assert (authentication.backend, authentication.location) == (kind.name, location)
    times = [authentication.issued_at, authentication.expires_at]
    assert all(timezone.is_aware(time) for time in times if time)


@each_kind
def test_expiry_and_scopes_are_returned_where_tokens_have_them(backend, kind, user):
    authentication = grant_of(backend, kind, kind.valid(user)).authentication
    assert (authentication.expires_at is not None) == kind.expires
    assert authentication.scopes == ({"read", "write"} if kind.has_scopes else set())


@pytest.mark.database
@each_kind
def test_user_is_concrete_and_asks_nothing_more(backend, kind, user):
    (verdict,) = backend.authenticate([presented(kind, kind.valid(user))])
    with asking(0):
        assert type(verdict.user) is get_user_model()
        assert verdict.user.get_username() == user.get_username()


@pytest.mark.database
@each_state()
def test_verdict_is_the_backends_own_and_keeps_the_token_secret(backend, kind, state, user):
    token = kind.states[state](user)
    credential = presented(kind, token)
    (verdict,) = verdicts = backend.authenticate([credential])
    refusal = outcome(verdict if backend.recognizes(credential) else None)
    refusal = refusal or CloseReason.TOKEN_INVALID  # where nobody knows it
    assert (refusal == user) if state is State.VALID else (refusal is kind.answer(state))
    assert token not in repr(verdicts)


@pytest.mark.database
@each_kind
def test_batch_costs_what_is_said_and_keeps_its_order(backend, kind):
    users = [new_user() for _ in range(BATCH)]
    asked = [presented(kind, kind.valid(user)) for user in users]
    with within(kind, BATCH):
        verdicts = backend.authenticate(asked)
    assert [verdict.user for verdict in verdicts] == users


@pytest.mark.database
@each_kind
def test_batch_of_good_and_bad_tokens_keeps_its_order(backend, kind):
    first, last = new_user(), new_user()
    tokens = [kind.valid(first), kind.unknown(new_user()), kind.inactive_user(new_user())]
    tokens.append(kind.valid(last))
    with within(kind, len(tokens)):
        verdicts = backend.authenticate([presented(kind, token) for token in tokens])
    found = [outcome(verdict) or CloseReason.TOKEN_INVALID for verdict in verdicts]
    assert found == [first, CloseReason.TOKEN_INVALID, CloseReason.USER_INACTIVE, last]


@pytest.mark.database
@each_kind
def test_no_text_makes_it_raise_or_write_and_no_text_is_let_in(backend, kind):
    with within(kind, len(RUBBISH)):
        verdicts = backend.authenticate([presented(kind, text) for text in RUBBISH])
    assert {getattr(each, "code", None) for each in verdicts} <= {None, CloseReason.TOKEN_INVALID}


# Verdicts on what sockets and tickets hold


@pytest.mark.database
@each_kind
def test_token_that_stands_gives_its_user_as_they_are_now(backend, kind, user):
    held = grant_of(backend, kind, kind.valid(user))
    get_user_model().objects.filter(pk=user.pk).update(last_login=NOON)
    (verdict,) = backend.revalidate([held])
    assert verdict.user.last_login == NOON
    assert verdict.authentication == held.authentication
    assert verdict.handle == held.handle


@pytest.mark.database
@pytest.mark.parametrize("needs_user", [True, False])
@each_kind
def test_sweep_costs_what_a_batch_costs(backend, kind, needs_user):
    held = [grant_of(backend, kind, kind.valid(new_user())) for _ in range(BATCH)]
    with within(kind, BATCH):
        verdicts = backend.revalidate([replace(each, needs_user=needs_user) for each in held])
    assert [verdict.user.pk for verdict in verdicts] == [each.user_pk for each in held]


@pytest.mark.database
@pytest.mark.parametrize("needs_user", [True, False])
@each_kind
def test_sweep_finds_whatever_ends_a_token_in_order(backend, kind, needs_user):
    users = [new_user() for _ in range(len(kind.events) + 2)]
    tokens = [kind.valid(user) for user in users]
    held = [replace(grant_of(backend, kind, each), needs_user=needs_user) for each in tokens]
    for happens, token, user in zip(kind.events.values(), tokens[1:], users[1:], strict=False):
        happens(token, user)
    with within(kind, len(held)):
        found = [outcome(verdict) or LATER[State.REVOKED] for verdict in backend.revalidate(held)]
    assert found[1:-1] == [LATER[event] for event in kind.events]
    assert [each.pk for each in (found[0], found[-1])] == [users[0].pk, users[-1].pk]


# The end of tokens


@pytest.mark.database
@pytest.mark.parametrize("owner", ["known", "unknown"])
@each_kind
def test_token_that_is_revoked_lives_on_only_where_the_denylist_records_it(
    backend, kind, user, owner
):
    token, other = kind.valid(user), kind.valid(new_user())
    held = grant_of(backend, kind, token)
    by_id = replace(held, user_pk=None) if owner == "unknown" else held
    assert backend.revoke([by_id]) == [kind.keeps_rows] == [backend.revocations is Revocations.ROWS]
    is_accepted = visit(token, kind.locations[0]).scope is not None
    assert is_accepted != kind.keeps_rows
    assert visit(other, kind.locations[0]).scope


@pytest.mark.database
@each_kind
def test_token_that_is_ended_twice_has_ended(backend, kind, user):
    held = grant_of(backend, kind, kind.valid(user))
    assert backend.revoke([held]) == backend.revoke([held]) == [kind.keeps_rows]


@pytest.mark.database
@each_kind
def test_all_tokens_of_a_user_end_and_nobody_elses(backend, kind, user):
    token, other = kind.valid(user), kind.valid(new_user())
    ends_all = backend.revoke_user(user.pk, except_token_id=None, issued_before=None)
    assert not (backend.revocations is Revocations.ROWS and not ends_all)
    assert not (ends_all and visit(token, kind.locations[0]).scope)
    assert visit(other, kind.locations[0]).scope


@pytest.mark.database
@each_kind
def test_all_tokens_of_a_user_but_one_end(backend, kind, user):
    token = kind.valid(user)
    kept = grant_of(backend, kind, token).authentication.token_id
    backend.revoke_user(user.pk, except_token_id=kept, issued_before=None)
    assert visit(token, kind.locations[0]).scope


# What a site configures


@each_kind
def test_name_is_its_own_or_the_sites(backend, kind, user):
    assert backend.name == kind.name
    named = import_string(kind.path)(**kind.options, name="devices")
    (verdict,) = named.authenticate([presented(kind, kind.valid(user))])
    assert (named.name, verdict.authentication.backend) == ("devices", "devices")


@each_kind
def test_package_as_it_is_installed_has_no_error(backend, kind):
    assert [each.id for each in backend.check(configuration().site) if each.level >= ERROR] == []


@each_kind
def test_backend_has_the_base_class_and_what_the_contract_names(backend, kind):
    assert isinstance(backend, BaseTokenBackend)
    assert [name for name in TokenBackend.__annotations__ if not hasattr(backend, name)] == []


def test_every_backend_of_the_library_is_in_the_table():
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
