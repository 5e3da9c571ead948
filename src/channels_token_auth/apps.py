"""The Django app: what happens once, at start-up."""

from django.apps import AppConfig

from . import conf, logs

__all__ = ["ChannelsTokenAuthConfig"]


class ChannelsTokenAuthConfig(AppConfig):
    """Registers the system checks, and keeps tokens out of the logs."""

    name = "channels_token_auth"
    verbose_name = "Channels token authentication"

    def ready(self) -> None:
        from . import checks  # noqa: F401, PLC0415 - registers them, once apps are loaded

        logs.install(conf.secret_names())
