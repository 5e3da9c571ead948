"""A user's token as people may see it: by its user and its id, never by its key."""

import hashlib

from django.db import transaction
from rest_framework.authtoken.models import Token

__all__ = ["UserToken", "replace_token", "token_id"]


def token_id(key):
    """A name for a token that tells nothing about it."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


class UserToken(Token):
    """DRF's token, named by its user: its own primary key and its own text are the secret."""

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
    """Ends the user's token, if there is one, and returns a new one."""
    Token.objects.filter(user_id=user_id).delete()
    return Token.objects.create(user_id=user_id)
