"""Name tokens outside the process that knows them, where a name may turn out to be a token.

An operator names a token by a text: the token itself, or its id. The shape of most texts shows
which. But an issuer's `jti` may be any text, so that some texts may be either. The digest of such a
text names both: it is the id of the token with this text, and the name of the token with this id.
Messages between nodes and entries in the cache contain that name, never a text that may be a token.
"""

import re
from dataclasses import dataclass

from .credentials import Secret

__all__ = ["NamedToken", "has_shape_of_id", "is_same_token", "token_name"]

# A digest, or a UUID as most issuers use it for the claim "jti" (RFC 7519, section 4.1.7).
_ID = re.compile(r"[0-9a-f]{32}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def has_shape_of_id(text: str) -> bool:
    """Return whether the text is treated as an id, and never presented to a backend as a token."""
    return _ID.fullmatch(text) is not None


def token_name(token_id: str) -> str:
    """Return the name of a token: its id, or the digest of an id that may be any text."""
    text = str(token_id)  # a backend of the site may use the integer key of a row
    # Not by `has_shape_of_id`: each admission calls this.
    return text if _ID.fullmatch(text) else Secret(text).digest


def is_same_token(one: str, other: str | None) -> bool:
    """Return whether two ids or names name the same token, of one backend and issuer."""
    return one == other or (other is not None and token_name(one) == token_name(other))


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedToken:
    """A token by its id or name. `backend` and `issuer`: None where they are not known."""

    token_id: str
    backend: str | None = None
    issuer: str | None = None

    def is_of(self, token_id: str | None, *, backend: str | None, issuer: str | None) -> bool:
        """Return whether this names the token with that id, at that backend, of that issuer."""
        return (
            self.backend in (None, backend)
            and self.issuer in (None, issuer)
            and is_same_token(self.token_id, token_id)
        )

    def includes(self, other: "NamedToken") -> bool:
        """Return whether this names every token that the other one names."""
        return self.is_of(other.token_id, backend=other.backend, issuer=other.issuer)
