"""Give every new user a token."""

from rest_framework.authtoken.models import Token

__all__ = ["create_token"]


def create_token(sender, instance, created, raw, **kwargs):
    """Create the token of a new user. A fixture (`raw`) has its own."""
    if created and not raw:
        Token.objects.create(user=instance)
