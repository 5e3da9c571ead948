"""Give a message the level that suits the site: a warning in production, information in DEBUG."""

from collections.abc import Iterator

from django.conf import settings
from django.core import checks

__all__ = ["caution"]


def caution(message: str, *, hint: str, id: str, about: str) -> Iterator[checks.CheckMessage]:  # noqa: A002 - as Django's own
    """Yield a Warning; with DEBUG on an Info, and only if the site set the setting `about`.

    A new project runs on Django's defaults: what they cannot do concerns nobody before production.
    """
    if not settings.DEBUG:
        yield checks.Warning(message, hint=hint, id=id)
    elif settings.is_overridden(about):  # type: ignore[misc]  # LazySettings passes it on
        yield checks.Info(message, hint=hint, id=id)
