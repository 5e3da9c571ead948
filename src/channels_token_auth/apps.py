"""The Django app: what happens once, at start-up."""

from django.apps import AppConfig

from . import conf, logs

__all__ = ["ChannelsTokenAuthConfig"]


class ChannelsTokenAuthConfig(AppConfig):
    """Registers the system checks, keeps tokens out of logs, and hears of tokens that end."""

    name = "channels_token_auth"
    verbose_name = "Channels token authentication"

    def ready(self) -> None:
        from . import checks, triggers  # noqa: F401, PLC0415 - once apps are loaded

        logs.install(conf.secret_names())
        triggers.wire()
