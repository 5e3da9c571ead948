"""Verified tokens as values: an identity, the grant that a socket holds, and a verdict.

A user is identified by the kind of user and a key. The key alone is not enough: user 1 of this
site's database and user 1 of a service whose stateless tokens are accepted are different people.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from .authentication import Authentication
from .close_codes import CloseReason
from .errors import Detail, TokenAuthError

__all__ = [
    "FOREIGN",
    "SITE_USERS",
    "FinalVerdict",
    "Grant",
    "Identity",
    "UserInactiveError",
    "UserKey",
    "Verdict",
    "is_foreign",
    "is_of_kind",
    "model_kind",
    "of_tenant",
    "unavailable",
    "user_kind",
    "without_tenant",
]

FOREIGN = "foreign:"
"""The kind that matches all users without a row here: users of other services."""

SITE_USERS = "site:"
"""The kind of the users of AUTH_USER_MODEL, in the declaration of a backend."""

RETRY_AFTER = 5
"""Seconds that a client waits before it tries again while a token store is unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKey:
    """One user: the kind of user, and the primary key as text.

    A revocation may name several users at once: `kind` is None for the users with this key in every
    kind, and `FOREIGN` for those of other services.
    """

    kind: str | None
    key: str

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A verified token: its user, and how it was verified. Each socket gets a copy of `user`.

    `handle`: a value with which the backend revalidates this token if its id is not enough; often a
    `Secret`. Only the backend reads it. It stays in the socket's memory, and is never logged or
    shown to a consumer; a ticket carries it encrypted with the ticket itself.

    `verified_at`: when the token was presented, in seconds since the epoch. The library sets it.
    """

    user: Any
    authentication: Authentication
    handle: Any = field(default=None, repr=False)
    # Not compared: the same token, presented twice, is the same identity.
    verified_at: float | None = field(default=None, compare=False)

    @property
    def user_key(self) -> UserKey:
        """The user's kind and primary key: equal for the same user only."""
        return UserKey(kind=user_kind(self.user, self.authentication), key=str(self.user.pk))


class UserInactiveError(TokenAuthError):
    """A valid token of an inactive user. `identity`: of that user, to revoke the token."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(CloseReason.USER_INACTIVE)
        self.identity = identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The authentication that a socket or a ticket holds, of the user with this key.

    `user_pk` is None where only the `token_id` is known: see `TokenBackend.revoke`. `user_kind` is
    the kind of user, as in `UserKey`. `handle` is the identity's. `needs_user`: the caller
    opens a socket for the answer, so it needs a complete user; a sweep needs the `pk` only.
    `verified_at` is the identity's.
    """

    user_pk: Any
    authentication: Authentication
    handle: Any = field(default=None, repr=False)
    needs_user: bool = True
    user_kind: str | None = None
    verified_at: float | None = None


FinalVerdict = Identity | TokenAuthError
Verdict = FinalVerdict | None
"""Accepted; refused, so that no other backend is asked; or None: unknown, ask the next one."""


def unavailable(detail: Detail | None = None) -> TokenAuthError:
    """Return the verdict while a token store is unavailable: never "invalid"."""
    return TokenAuthError(CloseReason.UNAVAILABLE, RETRY_AFTER, detail)


def user_kind(user: Any, authentication: Authentication) -> str:
    """Return the kind of a token's user: the model of a local one, else who issued the token.

    Where the site has tenants, a kind belongs to one tenant: each has its own user 1.
    """
    # mypy: a class can be hashed. `cast` is a call for each socket.
    kind = model_kind(type(user)) or _foreign_kind(authentication)  # type: ignore[arg-type]
    return kind if authentication.tenant is None else str(of_tenant(kind, authentication.tenant))


def of_tenant(kind: str | None, tenant: str | None) -> str | None:
    """Return the kind of a tenant's users, such as "auth.user@acme"; "@acme" for every kind."""
    return kind if tenant is None else f"{kind or ''}@{tenant}"


def without_tenant(kind: str | None) -> tuple[str | None, str | None]:
    """Return the kind that `of_tenant` was given, and the tenant."""
    if kind is None or "@" not in kind:
        return kind, None
    base, _, tenant = kind.partition("@")
    return base or None, tenant


def is_of_kind(kind: str | None, wanted: str | None) -> bool:
    """Return whether `wanted` includes the users of `kind`. It may name several kinds.

    None means every kind of every tenant; with a tenant in it, a kind means that tenant's users.
    """
    if wanted in (None, kind):
        return True
    (base, tenant), (wanted_base, wanted_tenant) = without_tenant(kind), without_tenant(wanted)
    # First, since a kind without a tenant in it must not reach the users of any tenant.
    if tenant != wanted_tenant:
        return False
    return wanted_base is None or (wanted_base == FOREIGN and is_foreign(base))


def is_foreign(kind: str | None) -> bool:
    """Return whether the users of a kind have no row here."""
    base, _ = without_tenant(kind)
    return base is not None and ":" in base


@lru_cache(maxsize=64)  # called for every socket, and a site has few user models
def model_kind(model: Hashable) -> str | None:
    """Return the kind of a Django model's instances, such as "auth.user"; None: it is no model.

    Proxies and children (multi-table inheritance) share the primary key of their root model, and
    so its kind: `revoke_user(customer)` has to find the sockets of the `User` that it extends.
    """
    # From the class up, so that the last one is the root: the model whose table has the key.
    roots = [each for each in getattr(model, "__mro__", ()) if _is_concrete(each)]
    return roots[-1]._meta.label_lower if roots else None


def _is_concrete(model: Any) -> bool:
    options = vars(model).get("_meta")
    return options is not None and not options.abstract and not options.proxy


def _foreign_kind(authentication: Authentication) -> str:
    # No model's label contains a colon, so no backend's name can collide with a model.
    origin = (
        f"backend:{authentication.backend}"
        if authentication.issuer is None
        else f"issuer:{authentication.issuer}"
    )
    return origin.replace("@", "%40")  # separates a kind from its tenant
