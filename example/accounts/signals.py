"""Every new user gets a token."""

from rest_framework.authtoken.models import Token

__all__ = ["create_token"]


def create_token(sender, instance, created, raw, **kwargs):
    """Creates the token of a new user; a fixture (`raw`) brings its own."""
    if created and not raw:
        Token.objects.create(user=instance)
