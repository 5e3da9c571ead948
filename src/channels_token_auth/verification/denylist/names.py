"""Derive the names of the denylist's entries with the site's key, which other sites do not have.

Each function returns several names for one entry, the current one first: during a rotation of
`SECRET_KEY`, an entry may be stored under a name that was derived with the former key.
"""

from collections.abc import Iterator

from ... import conf
from ...core.authentication import Authentication
from ...core.identity import FOREIGN, Grant, UserKey, is_foreign, of_tenant

__all__ = ["GrantNames", "Names", "label_names", "names", "token_names", "user_names"]

PREFIX = "channels_token_auth.denied."

Names = list[str]


def names(kind: str, *parts: str | None) -> Names:
    """Return the names of an entry of this kind."""
    return [f"{PREFIX}{name}" for name in conf.site_keys().names(f"denied-{kind}", *parts)]


def token_names(token: Authentication) -> list[Names]:
    """Return the names of the entries that deny this one token, the most exact first."""
    # Without the issuer too: an operator may have named the token by its id alone.
    origins = [(token.backend, token.issuer), (token.backend, None)]
    return [names("token", *each, token.tenant, token.token_id) for each in dict.fromkeys(origins)]


def user_names(user: UserKey) -> Names:
    """Return the names of the entry for a user, or for all users with this primary key."""
    return names("user", user.kind, user.key)


def label_names(
    label: tuple[str, str], *, backend: str, tenant: str | None, user_id: str | None
) -> Names:
    """Return the names of the entry for a label; with `user_id`, for tokens of that user only."""
    return names("label", backend, tenant, *label, user_id)


class GrantNames:
    """The names of all entries that may deny a token."""

    def __init__(self, grant: Grant) -> None:
        token, user_id = grant.authentication, str(grant.user_pk)
        self.tokens = [name for found in token_names(token) for name in found]
        # A rule may also name all kinds of users, or all foreign kinds, of the token's tenant.
        several = [None, *([FOREIGN] if is_foreign(grant.user_kind) else [])]
        kinds = [grant.user_kind, *(of_tenant(each, token.tenant) for each in several)]
        # With the names by all keys, since the rules under a former key are still valid.
        self.users = [
            name for kind in kinds for name in user_names(UserKey(kind=kind, key=user_id))
        ]
        self.labels = [
            name
            for label in token.labels.items()
            for whose in (None, user_id)
            for name in label_names(
                label, backend=token.backend, tenant=token.tenant, user_id=whose
            )
        ]

    def __iter__(self) -> Iterator[str]:
        yield from self.tokens
        yield from self.users
        yield from self.labels
