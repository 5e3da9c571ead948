"""Tell the page whom to log in as, while DEBUG is on."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.http import JsonResponse
from django.urls import reverse

from accounts.demo_users import DEMO_USERS

__all__ = ["demo"]


def demo(request):
    """Return the demo's users that exist here and the admin's address; nothing for the public."""
    if not settings.DEBUG:
        return JsonResponse({})
    active = get_user_model().objects.filter(username__in=DEMO_USERS, is_active=True)
    names = set(active.values_list("username", flat=True))
    users = [
        {"username": name, "password": password}
        for name, password in DEMO_USERS.items()
        if name in names
    ]
    return JsonResponse({"users": users, "admin": reverse("admin:index")})
