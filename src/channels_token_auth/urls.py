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
    path("backchannel-logout/", views.backchannel_logout, name="backchannel-logout"),
    path("security-events/", views.security_events, name="security-events"),
    path(
        "global-token-revocation/",
        views.global_token_revocation,
        name="global-token-revocation",
    ),
]
