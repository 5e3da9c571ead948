"""allauth's pages, the library's endpoints, and one page that shows who is logged in."""

import os

from django.http import JsonResponse
from django.urls import include, path

from tests.providers.project import people  # noqa: F401 - it connects a receiver


def me(request):
    user = request.user.get_username() if request.user.is_authenticated else None
    return JsonResponse({"user": user, "token": request.session.get("access_token")})


def pid(request):
    return JsonResponse(os.getpid(), safe=False)


urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("auth/", include("channels_token_auth.urls")),
    path("me", me),
    path("pid", pid),
]
