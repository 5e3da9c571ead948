"""Find the users that claims name, by a field or by a function of the site."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.utils.module_loading import import_string

from ...core.close_codes import CloseReason
from ...core.errors import Detail, TokenAuthError
from .keys import read_key
from .lookup import Lookup
from .managers import package_users
from .site_functions import REFUSED, ask_site, failed
from .users import concrete

__all__ = ["ClaimedUsers"]

Claims = Mapping[str, Any]

REASSIGNABLE = {"email", "name", "nickname", "preferred_username", "unique_name", "upn", "username"}
"""Claims whose value may later belong to another person (OpenID Connect Core 1.0, §5.7)."""


class ClaimedUsers:
    """Finds the user whose `field` equals `claim`; or that `function`, a dotted path, returns.

    `field`: None means the field that users log in with.
    """

    def __init__(self, *, claim: str, field: str | None, function: str | None) -> None:
        self._claim = claim
        self._field_name = field
        self._function = function

    def find(self, claims: Sequence[Claims]) -> list[Any]:
        """Return each token's user, or its refusal: with one query, or with a call for each."""
        if self._function is not None:
            function = import_string(self._function)
            return [self._call(function, each) for each in claims]
        # A claim that is no canonical value of the field becomes None, and is not queried.
        values = [read_key(self._field, each.get(self._claim)) for each in claims]
        users: dict[Any, Any] = {}
        for user in self._lookup.find({value for value in values if value is not None}):
            value = self._field.value_from_object(user)
            # If two users have the same value, the claim identifies neither.
            users[value] = self._unknown() if value in users else user
        return [users[value] if value in users else self._unknown() for value in values]

    def check(self, error: str, warning: str | None = None) -> Iterator[checks.CheckMessage]:
        """Report a function or a field that is missing, and claims that may name two users. The
        arguments are the numbers of the messages.
        """
        if warning and self._function is None and self._claim in REASSIGNABLE:
            yield checks.Warning(
                f"The claim {self._claim!r} names the user: issuers may give a name or an address"
                " to another person later.",
                hint="Set 'user_claim' to 'sub', and 'user_field' to the field that stores the"
                " issuer's 'sub'.",
                id=f"channels_token_auth.{warning}",
            )
        try:
            unique = import_string(self._function) if self._function else self._field.unique
        except (FieldDoesNotExist, ImportError) as problem:
            yield checks.Error(
                f"The user of a token cannot be found: {problem}",
                hint="Correct the option 'user', a dotted path, or 'user_field'.",
                id=f"channels_token_auth.{error}",
            )
        else:
            if not unique:
                yield checks.Error(
                    f"The user field {self._field.name!r} is not unique: two users may share it.",
                    hint="Name a unique field in 'user_field', or a function in 'user'.",
                    id=f"channels_token_auth.{error}",
                )

    def contradicts(self, other: "ClaimedUsers") -> bool:
        """Return True if both use the same claim, with different fields."""
        mine, theirs = (each.field_of(self._claim) for each in (self, other))
        return None not in (mine, theirs) and mine is not theirs

    def field_of(self, claim: str) -> Any:
        """Return the field that is compared with the claim; None: a function finds users."""
        if self._function or claim != self._claim:
            return None
        try:
            return self._field
        except FieldDoesNotExist:
            return None  # reported by `check`

    @cached_property
    def _field(self) -> Any:
        model: Any = get_user_model()
        name = self._field_name or model.USERNAME_FIELD
        return model._meta.pk if name == "pk" else model._meta.get_field(name)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(package_users, self._field.name)

    def _unknown(self) -> TokenAuthError:
        detail = Detail(
            slug="unknown_user",
            remedy=f"No user has the value of the claim {self._claim!r} in the field"
            f" {self._field.name!r}: create the user, or correct 'user_claim' and 'user_field'.",
        )
        return TokenAuthError(CloseReason.TOKEN_INVALID, detail=detail)

    def _call(self, function: Any, claims: Claims) -> Any:
        """Return the function's user, or the refusal. Raises only errors of a database."""
        name = str(self._function)
        user = ask_site(lambda: concrete(function(claims)), name=name)
        if isinstance(user, TokenAuthError):
            return user
        # Django's own `get_user` returns an AnonymousUser for nobody; a site's function may, too.
        if user is None or getattr(user, "is_anonymous", False):
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=REFUSED)
        wanted = get_user_model().__name__
        if not isinstance(user, get_user_model()):
            mistake = f"It returned a {type(user).__name__} instead of a {wanted} or None."
            return failed(name, TypeError(mistake))
        if user.pk is None:  # all such users would be one
            return failed(name, TypeError(f"It returned a {wanted} that was never saved."))
        return user
