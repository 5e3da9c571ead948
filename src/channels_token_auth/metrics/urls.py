"""Define the URL of the metrics: `path("auth/", include("channels_token_auth.metrics.urls"))`."""

from django.urls import path

from .views import metrics

urlpatterns = [path("metrics/", metrics, name="channels_token_auth_metrics")]
