"""Read a backend's verdicts, and run its system checks as `manage.py check` does."""

from channels_token_auth import TokenAuthError, conf
from channels_token_auth.backends.contract import Unrecognized

__all__ = ["check", "outcome"]


def check(backend):
    """Its messages on the present settings."""
    return backend.check(conf.override({"backends": [{"BACKEND": "any.Backend"}]}).site)


def outcome(verdict):
    """The user, or the code of a refusal; None: the next backend is asked."""
    if verdict is None or isinstance(verdict, Unrecognized):
        return None
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict.user
