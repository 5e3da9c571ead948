"""Connect the signal that creates tokens."""

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_save


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from accounts.signals import create_token  # noqa: PLC0415 -- models exist from here on

        post_save.connect(create_token, sender=settings.AUTH_USER_MODEL)
