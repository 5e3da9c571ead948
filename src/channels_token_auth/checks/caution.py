"""Choose the level of a message: a warning in production, information while DEBUG is on."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

__all__ = ["caution"]


def caution(message: str, *, hint: str, id: str, about: str) -> Iterator[checks.CheckMessage]:  # noqa: A002 - as Django's own
    """Yield a Warning; with DEBUG on an Info, and only if the site set the setting `about`.

    A new project runs on Django's defaults. Their limits do not matter before production.
    """
    if not settings.DEBUG:
        yield checks.Warning(message, hint=hint, id=id)
    elif settings.is_overridden(about):  # type: ignore[misc]  # LazySettings passes it on
        yield checks.Info(message, hint=hint, id=id)
