"""Wrap a backend, so that a function of the site decides the scopes of its tokens."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..authorization.scopes import read_scopes
from ..backends.contract import TokenBackend
from ..backends.sources.site_functions import ask_site, failed, name_of
from ..core.authentication import Authentication
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from ..core.identity import Grant, Identity, Verdict

__all__ = ["ScopedBackend", "ScopesOf"]

ScopesOf = Callable[[Any, Authentication], Iterable[str]]
"""A function that returns the scopes of a user's token, in place of the token's own."""


class ScopedBackend:
    """A `TokenBackend` that wraps another one, and takes the scopes from a function.

    The function is called after each verification of the backend, in the same thread. It refuses a
    token as the option `user` does: with PermissionDenied, for example. Any other exception of it
    is logged with its name, and makes the token unavailable. This backend has a lane of its own,
    since the function may block, for example on another server. In all else it is as local as the
    backend: what a lagging replica rejects, the primary database is asked about.
    """

    may_block = True

    def __init__(self, backend: TokenBackend, scopes_of: ScopesOf) -> None:
        if not callable(scopes_of):
            raise TypeError(f"SCOPES must name a function, and names {scopes_of!r}.")
        self._backend = backend
        self._scopes_of = scopes_of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Return the backend's verdicts, with the function's scopes."""
        return [self._scoped(verdict) for verdict in self._backend.authenticate(credentials)]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Return the backend's verdicts, with the function's present scopes."""
        # The function gets the user, whose columns a sweep does not load otherwise.
        needing = [replace(each, needs_user=True) for each in grants]
        return [self._scoped(verdict) for verdict in self._backend.revalidate(needing)]

    def _scoped(self, verdict: Verdict) -> Verdict:
        if not isinstance(verdict, Identity):
            return verdict
        name = name_of(self._scopes_of)
        given = ask_site(self._scopes_of, verdict.user, verdict.authentication, name=name)
        if isinstance(given, TokenAuthError):
            return given
        try:
            scopes = read_scopes(given)
        except (TypeError, ValueError) as error:
            return failed(name, error)
        return replace(verdict, authentication=replace(verdict.authentication, scopes=scopes))
