"""The matrix of every backend: the states of a token, and the expected answer to each."""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from enum import StrEnum
from itertools import count

from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location

ANYWHERE = tuple(Location)
numbers = count()


class State(StrEnum):
    """The states of a token. A kind supports those for which it has a method, named below."""

    VALID = "valid"
    UNKNOWN = "unknown, of the right shape"
    MALFORMED = "malformed"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    REFRESH_TOKEN = "a refresh token"
    WRONG_ALGORITHM = "signed by another algorithm"
    UNSIGNED = "`alg: none`"
    CONFUSED = "signed by the public key, as if it were a secret"
    STEERED = "its `jku`, `jwk`, `kid`, `x5u` lead to another key"
    WRONG_AUDIENCE = "for another audience"
    KEY_BOUND = "bound to a key (`cnf`)"
    REVOKED = "revoked"
    INACTIVE_USER = "of an inactive user"
    DELETED_USER = "of a deleted user"


ANSWERS = dict.fromkeys(State, CloseReason.TOKEN_INVALID) | {
    State.VALID: None,
    State.EXPIRED: CloseReason.TOKEN_EXPIRED,
    State.REVOKED: CloseReason.TOKEN_REVOKED,
    State.INACTIVE_USER: CloseReason.USER_INACTIVE,
}
"""The expected answers of every backend; `Kind.answers` has the exceptions."""

LATER = {
    State.REVOKED: CloseReason.TOKEN_REVOKED,
    State.INACTIVE_USER: CloseReason.USER_INACTIVE,
    State.DELETED_USER: CloseReason.TOKEN_REVOKED,
}
"""The events that end an accepted token, and the expected answers."""


class Kind(ABC):
    """A backend, a site that uses it, and its tokens in every state that they can have."""

    name: str
    title: str
    path: str
    options: dict = {}  # noqa: RUF012 - no kind changes it
    settings: dict = {}  # noqa: RUF012 - no kind changes it
    answers: dict = {}  # noqa: RUF012 - no kind changes it
    locations = ANYWHERE
    cookie = "token"
    queries = 1
    """The number of queries for a batch."""
    is_one_by_one = False
    """True if each token of a batch costs that many."""
    expires = True
    has_scopes = False
    keeps_rows = True
    """True if revocations are recorded in rows, so that the denylist is not needed."""

    @contextmanager
    def running(self):
        """Run what the backend needs while its tokens are verified."""
        yield

    @abstractmethod
    def valid(self, user) -> str:
        """A token of the user's, with the scopes "read" and "write" if it can have any."""

    @abstractmethod
    def unknown(self, user) -> str: ...

    def malformed(self, user):
        return "not.a.token"

    def inactive_user(self, user):
        return self._then(self.deactivate, user)

    def deleted_user(self, user):
        return self._then(self.delete, user)

    def deactivate(self, token, user):
        user.is_active = False
        user.save()

    def delete(self, token, user):
        get_user_model().objects.get(pk=user.pk).delete()

    def revoke(self, token, user):
        raise NotImplementedError

    def revoked(self, user):
        return self._then(self.revoke, user)

    def _then(self, happens, user):
        token = self.valid(user)
        happens(token, user)
        return token

    @property
    def extra(self):
        """The extra that installs what its backend needs, or None."""
        return import_string(self.path).extra

    @property
    def page(self):
        """Its page in docs/how-to/backends, which is named as its module."""
        return self.path.split(".")[-2]

    @property
    def states(self):
        """Each state that its tokens can have, and how one is made."""
        missing = {State.REVOKED} if type(self).revoke is Kind.revoke else set()
        made = {state: getattr(self, state.name.lower(), None) for state in State}
        return {state: make for state, make in made.items() if make and state not in missing}

    @property
    def events(self):
        """Return the methods that end an accepted token, by state."""
        events = {
            State.REVOKED: self.revoke,
            State.INACTIVE_USER: self.deactivate,
            State.DELETED_USER: self.delete,
        }
        return {state: event for state, event in events.items() if state in self.states}

    def answer(self, state):
        """The slug that a token in this state is refused with, None where it is accepted."""
        return self.answers.get(state, ANSWERS[state])

    def __repr__(self):
        return self.name


def new_user():
    """Somebody, of whichever user model."""
    model = get_user_model()
    name = f"user{next(numbers)}@example.com"
    user = model(**{model.USERNAME_FIELD: name})
    user.set_password("secret")
    user.save()
    return user
