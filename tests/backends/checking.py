"""Read a backend's verdicts, and run its system checks as `manage.py check` does."""

from contextlib import ExitStack, contextmanager
from functools import partial

from channels_token_auth import TokenAuthError, conf
from channels_token_auth.backends.contract import Unrecognized

__all__ = ["announcements", "check", "outcome"]


def check(backend):
    """Its messages on the present settings."""
    return backend.check(conf.override({"backends": [{"BACKEND": "any.Backend"}]}).site)


def outcome(verdict):
    """The user, or the code of a refusal; None: the next backend is asked."""
    if verdict is None or isinstance(verdict, Unrecognized):
        return None
    return verdict.code if isinstance(verdict, TokenAuthError) else verdict.user


@contextmanager
def announcements(backend):
    """Yield a list of everything that the backend's signals announce inside."""
    said = []
    with ExitStack() as stack:
        for each in backend.announcements():
            receive = partial(_note, said, each)
            each.signal.connect(receive, sender=each.sender, weak=False)
            stack.callback(each.signal.disconnect, receive, sender=each.sender)
        yield said


def _note(said, announcement, **given):
    said.extend(announcement.tokens(**given))
