"""A backend whose identities get their scopes from a function of the site's."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..authorization.scopes import read_scopes
from ..backends.contract import TokenBackend
from ..core.authentication import Authentication
from ..core.credentials import Credential
from ..core.identity import Grant, Identity, Verdict

__all__ = ["ScopedBackend", "ScopesOf"]

ScopesOf = Callable[[Any, Authentication], Iterable[str]]
"""The scopes of a user's token. They take the place of the token's own."""


class ScopedBackend:
    """A `TokenBackend` around another one: a function gives the scopes, all else is the other's.

    It has a lane of its own, since a site's function may ask anything, such as another server.

    The function is asked whenever the backend is, in the same thread. What it raises counts as if
    the backend had raised it.
    """

    is_local = False

    def __init__(self, backend: TokenBackend, scopes_of: ScopesOf) -> None:
        if not callable(scopes_of):
            raise TypeError(f"SCOPES names no function, but {scopes_of!r}.")
        self._backend = backend
        self._scopes_of = scopes_of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """The backend's verdicts, with the function's scopes."""
        return [self._scoped(verdict) for verdict in self._backend.authenticate(credentials)]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """The same, with the scopes of now."""
        needing = [replace(each, needs_user=True) for each in grants]
        return [self._scoped(verdict) for verdict in self._backend.revalidate(needing)]

    def _scoped(self, verdict: Verdict) -> Verdict:
        if not isinstance(verdict, Identity):
            return verdict
        scopes = read_scopes(self._scopes_of(verdict.user, verdict.authentication))
        return replace(verdict, authentication=replace(verdict.authentication, scopes=scopes))
