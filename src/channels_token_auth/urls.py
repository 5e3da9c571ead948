"""The HTTP endpoints: `path("auth/", include("channels_token_auth.urls"))`."""

from django.urls import path

from . import views

app_name = "channels_token_auth"
urlpatterns = [
    path("ready/", views.ready, name="ready"),
    path("ticket/", views.ticket, name="ticket"),
    path("check/", views.check, name="check"),
    path("connections/", views.connections, name="connections"),
    path("connections/<str:connection_id>/", views.connection, name="connection"),
]
