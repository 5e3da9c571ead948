"""Django's own share of the HTTP paths: the library's endpoints."""

from django.urls import include, path

urlpatterns = [path("auth/", include("channels_token_auth.urls"))]
