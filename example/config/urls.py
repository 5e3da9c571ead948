"""HTTP routes. The page at `/` is a static file: see `WHITENOISE_ROOT`."""

from django.contrib import admin
from django.urls import include, path

from accounts.views import LoginView, SignOutEverywhereElseView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/login/", LoginView.as_view()),
    path("api/sign-out-everywhere-else/", SignOutEverywhereElseView.as_view()),
    path("auth/", include("channels_token_auth.urls")),
]
