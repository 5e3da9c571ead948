"""Check the settings that the tokens of django-allauth need to be verified."""

from collections.abc import Iterator

from allauth.headless import app_settings
from django.apps import apps
from django.core import checks

from ..sources.sessions.engines import can_forget
from .jwt import algorithm_and_key
from .logins import has_lists

__all__ = ["check_installation", "check_signing", "check_strategy", "strategy_problem"]


def check_installation() -> Iterator[checks.CheckMessage]:
    """Report a missing app, and an engine whose sessions cannot be ended."""
    if not apps.is_installed("allauth.headless"):
        yield checks.Error(
            "django-allauth's headless app is not installed.",
            hint="Add 'allauth.headless' to INSTALLED_APPS.",
            id="channels_token_auth.E180",
        )
    if not can_forget():
        yield checks.Error(
            "SESSION_ENGINE keeps sessions in cookies, so no token can name one.",
            hint="Use an engine that keeps sessions on the server.",
            id="channels_token_auth.E182",
        )
    if not has_lists():
        yield checks.Warning(
            "'allauth.usersessions' is not installed: sessions cannot be found by their users, so"
            " that `revoke_user` denies their tokens and does not end the sessions.",
            hint="Add 'allauth.usersessions' to INSTALLED_APPS.",
            id="channels_token_auth.W180",
        )


def check_strategy() -> Iterator[checks.CheckMessage]:
    """Report a token strategy whose session tokens are not keys of sessions."""
    if problem := strategy_problem():
        yield checks.Error(
            problem,
            hint="Inherit `create_session_token` and `lookup_session`, or write a backend.",
            id="channels_token_auth.E181",
        )


def check_signing() -> Iterator[checks.CheckMessage]:
    """Report a missing key for JWTs."""
    try:
        algorithm_and_key()
    except (TypeError, ValueError) as error:
        yield checks.Error(
            f"The JWTs of allauth cannot be verified: {error}",
            hint="Set HEADLESS_JWT_ALGORITHM and HEADLESS_JWT_PRIVATE_KEY as allauth's JWT strategy"
            " needs them.",
            id="channels_token_auth.E183",
        )


def strategy_problem() -> str:
    """Return why a session token may not be a session's key; "" if it is, as in allauth itself."""
    # By the module of each method: a site may override the others without an effect here.
    strategy = type(app_settings.TOKEN_STRATEGY)
    methods = (strategy.create_session_token, strategy.lookup_session)
    if all(method.__module__.startswith("allauth.headless.") for method in methods):
        return ""
    return f"HEADLESS_TOKEN_STRATEGY {strategy.__name__} has session tokens of its own."
