"""A token backend without a store: the token itself says whose it is, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from channels_token_auth import BaseTokenBackend, Revocations
from channels_token_auth.core.authentication import Authentication
from channels_token_auth.core.identity import Identity

__all__ = ["LastingBackend", "lasting"]


def lasting(user: str, seconds: float, nonce: str = "") -> str:
    """A token of the user's."""
    return f"{user}-{seconds}-{nonce}"


class LastingBackend(BaseTokenBackend):
    schemes = frozenset({"token", "bearer"})
    revocations = Revocations.ROWS
    name = "lasting"

    def recognizes(self, credential: Any) -> bool:
        return credential.secret.reveal().count("-") == 2

    def authenticate(self, credentials: Any) -> list[Identity]:
        return [_identity(credential) for credential in credentials]

    def revalidate(self, grants: Any) -> list[Any]:
        raise NotImplementedError

    def check(self, site: Any) -> list[Any]:
        return []


def _identity(credential: Any) -> Identity:
    user, seconds, _ = credential.secret.reveal().split("-")
    return Identity(
        user=User(pk=len(user), username=user),
        authentication=Authentication(
            backend="lasting",
            token_id=credential.secret.digest,
            location=credential.location,
            expires_at=datetime.now(UTC) + timedelta(seconds=float(seconds)),
        ),
    )
