"""Name tokens by their user and an id, never by their key."""

import hashlib

from django.contrib.auth import get_user_model
from django.db import transaction
from rest_framework.authtoken.models import Token

from channels_token_auth import revoke_user

__all__ = ["UserToken", "replace_token", "token_id"]


def token_id(key):
    """Return a name for a token that does not reveal it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class UserToken(Token):
    """Show DRF's token by its user: its primary key and its text are the secret."""

    class Meta:
        proxy = True
        verbose_name = "token"

    def __str__(self):
        return f"{self.user} ({token_id(self.key)})"

    @property
    def pk(self):
        return self.user_id


@transaction.atomic
def replace_token(user_id):
    """Revoke the user's token, if there is one, and return a new one.

    To delete it would be a rotation (4419): other devices would try again instead of logging in.
    """
    revoke_user(get_user_model()(pk=user_id))
    return Token.objects.create(user_id=user_id)
