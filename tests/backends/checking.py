"""Run a backend's own system checks as `manage.py check` does, on the present settings."""

from channels_token_auth import conf

__all__ = ["check"]


def check(backend):
    return backend.check(conf.override({"backends": [{"BACKEND": "any.Backend"}]}).site)
