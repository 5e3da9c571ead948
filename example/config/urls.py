"""HTTP routes. The page at `/` is a static file: see `WHITENOISE_ROOT`."""

from django.contrib import admin
from django.urls import path

from accounts.views import LoginView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/login/", LoginView.as_view()),
]
