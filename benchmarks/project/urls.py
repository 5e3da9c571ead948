"""The library's endpoints."""

from django.urls import include, path

urlpatterns = [path("auth/", include("channels_token_auth.urls"))]
