"""Accept tokens that a test issues, without a token store."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any
from unittest import mock

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - as Django names it
from django.db import OperationalError
from django.test import override_settings

from .. import conf
from ..backends.base import BaseTokenBackend
from ..backends.contract import Revocations
from ..backends.site import Site
from ..backends.sources.users import admit
from ..clock import clock
from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, Verdict
from ..django_internals import is_test_environment

__all__ = ["PATH", "FakeTokenBackend", "FakeTokens", "fake_tokens"]

PATH = "channels_token_auth.testing.FakeTokenBackend"
"""The path of the backend in `BACKENDS`."""

HANG = 30.0
"""Seconds after which a hanging store raises, so that no test waits for ever."""


class FakeTokens:
    """A token store in memory. `users`: a mapping from tokens to users; these tokens never expire.

    Any thread may use it. It has no rows, so that a test needs no database for its tokens.
    """

    def __init__(self, users: Mapping[str, Any] | None = None) -> None:
        self._verdicts: dict[str, Identity | TokenAuthError] = {}
        self._is_unavailable = False
        # Set while the store answers. No backend runs in the event loop: a thread waits for it.
        self._opened = threading.Event()
        self._opened.set()
        for token, user in (users or {}).items():
            self.issue(user, token=token)

    def issue(
        self,
        user: Any,
        *,
        token: str | None = None,
        lifetime: float | None = None,
        scopes: Iterable[str] = (),
    ) -> str:
        """Issue a token to the user and return it: `token`, or else a random one.

        `lifetime`: seconds from now until it expires; None: it never does. Raises TypeError if the
        user is None.
        """
        if user is None:
            raise TypeError("The user is None: every token belongs to a user.")
        token = token or token_urlsafe(16)
        now = clock.calendar()
        # The name of the backend is filled in when it verifies the token.
        authentication = Authentication(
            backend="",
            token_id=Secret(token).digest,
            location=Location.HEADER,
            scopes=frozenset(scopes),
            issued_at=_moment(now),
            expires_at=None if lifetime is None else _moment(now + lifetime),
        )
        self._verdicts[authentication.token_id] = Identity(user=user, authentication=authentication)
        return token

    def refuse(self, token: str, code: str, *, retry_after: int | None = None) -> None:
        """Refuse the token from now on, with a reason such as "token_revoked".

        `retry_after`: whole seconds. Raises ValueError for a reason that does not exist.
        """
        self._verdicts[Secret(token).digest] = TokenAuthError(CloseReason(code), retry_after)

    @contextmanager
    def unavailable(self) -> Iterator[None]:
        """Let the store fail inside the block: handshakes are refused with 4503."""
        self._is_unavailable = True
        try:
            yield
        finally:
            self._is_unavailable = False

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let the store hang until the block ends: after VERIFY_TIMEOUT, handshakes get 4503."""
        self._opened.clear()
        try:
            yield
        finally:
            self._opened.set()

    def forget(self, token_id: str) -> None:
        """Delete a token: it is unknown from now on."""
        self._verdicts.pop(token_id, None)

    def of_user(self, user_pk: Any) -> list[tuple[str, datetime]]:
        """Return the ids of the user's tokens, each with the time of its issue."""
        return [
            (token_id, known.authentication.issued_at or _moment(0))
            for token_id, known in self._verdicts.items()
            if isinstance(known, Identity) and known.user.pk == user_pk
        ]

    def verdict(self, token_id: str) -> Identity | TokenAuthError | None:
        """Return the verdict on a token. Raises while the store is set to be unavailable."""
        if self._is_unavailable or not self._opened.wait(HANG):
            raise OperationalError("The fake token store is unavailable: its test asked for that.")
        return self._verdicts.get(token_id)


class FakeTokenBackend(BaseTokenBackend):
    """A token backend on `FakeTokens`: those of `fake_tokens()`, or else of the process.

    Name it in the settings of tests, as "channels_token_auth.testing.FakeTokenBackend". Elsewhere
    a system check reports it, since any code of the process can issue its tokens.
    """

    # Of the class, because Django builds a new backend whenever a setting changes.
    tokens = FakeTokens()
    schemes = frozenset({"bearer", "token"})
    # `revoke` deletes the tokens themselves: a test needs no cache for a denylist.
    revocations = Revocations.ROWS
    is_local = True
    user_kind = None  # a test may issue tokens to any user

    def __init__(self, *, name: str = "fake") -> None:
        super().__init__(name=name)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Return the verdicts that the test has set for the tokens."""
        return [self._verdict(each.secret.digest, each.location) for each in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Return the verdicts for tokens of open sockets, found by their ids."""
        # A grant has no token, but the id is the digest under which the store has the verdict.
        asked = [each.authentication for each in grants]
        return [self._verdict(each.token_id, each.location) for each in asked]

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Delete the tokens: they are unknown from now on."""
        for each in grants:
            self.tokens.forget(each.authentication.token_id)
        return [True] * len(grants)

    def revoke_user(
        self, user_pk: Any, *, except_token_id: str | None, issued_before: datetime | None
    ) -> bool:
        """Delete the user's tokens, except the spared one and later ones."""
        for token_id, issued_at in self.tokens.of_user(user_pk):
            if token_id != except_token_id and (
                issued_before is None or issued_at <= issued_before
            ):
                self.tokens.forget(token_id)
        return True

    def check(self, site: Site) -> list[CheckMessage]:
        """Report a site that accepts fake tokens outside of a test run."""
        if is_test_environment():
            return []
        # In production it is an error, which fails `manage.py check`.
        kind = Warning if settings.DEBUG else Error
        return [
            kind(
                "BACKENDS has FakeTokenBackend, outside of a test run: every token that any code of"
                " this process issues is accepted.",
                hint="Name it in the settings of tests only, or use fake_tokens() in them.",
                id="channels_token_auth.E191",
            )
        ]

    def _verdict(self, token_id: str, location: Location) -> Verdict:
        known = self.tokens.verdict(token_id)
        if not isinstance(known, Identity):
            return known
        authentication = replace(known.authentication, backend=self.name, location=location)
        return admit(known.user, authentication)


@contextmanager
def fake_tokens(users: Mapping[str, Any] | None = None) -> Iterator[FakeTokens]:
    """Let the site accept these tokens and those that the yielded store issues, and no others.

    A context manager, and a decorator of tests. `users`: a mapping from tokens to users. Other
    settings of the site apply.
    """
    tokens = FakeTokens(users)
    given = {**getattr(settings, conf.NAME, {}), "BACKENDS": [{"BACKEND": PATH}]}
    with (
        # It sends `setting_changed`, at which the library forgets the backends of other settings.
        override_settings(**{conf.NAME: given}),
        mock.patch.object(FakeTokenBackend, "tokens", tokens),
    ):
        yield tokens


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
