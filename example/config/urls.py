"""HTTP routes. The page at `/` is a static file: see `WHITENOISE_ROOT`."""

from django.contrib import admin
from django.urls import include, path, re_path

from accounts.views import LoginView, SignOutEverywhereElseView
from hello.views import demo

urlpatterns = [
    path("admin/", admin.site.urls),
    # Without the slash too: Django cannot redirect a POST to the address that has one.
    re_path(r"^api/login/?$", LoginView.as_view()),
    path("api/demo/", demo),
    path("api/sign-out-everywhere-else/", SignOutEverywhereElseView.as_view()),
    path("auth/", include("channels_token_auth.urls")),
]
