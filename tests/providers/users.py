"""How a site finds users by the claims of its provider."""

from django.contrib.auth.models import User


def by_email(claims):
    return User.objects.filter(email=claims.get("email")).first()
