"""Find the user of a provider's token, and the sessions that end with a login there."""

from allauth.account.signals import user_logged_in
from allauth.socialaccount.models import SocialAccount
from django.dispatch import receiver

from channels_token_auth import remember_login

__all__ = ["find_user", "remember"]


def find_user(claims):
    """Return the user whose account at the provider has the claim `sub`."""
    accounts = SocialAccount.objects.select_related("user")
    account = accounts.filter(provider="test", uid=claims["sub"]).first()
    return account and account.user


@receiver(user_logged_in)
def remember(request, sociallogin=None, **_):
    """Have the Django session end with the login that it came from."""
    if sociallogin:
        remember_login(request, sociallogin.account.extra_data["id_token"])
        request.session["access_token"] = sociallogin.token.token
