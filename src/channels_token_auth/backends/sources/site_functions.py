"""Call functions of the site that decide about a token, such as the option `user`.

They refuse as views do: by raising. Any other error is a fault of theirs, which proves nothing
about the token.
"""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import Error as DatabaseError
from django.http import Http404

from ...core.close_codes import CloseReason
from ...core.errors import Detail, TokenAuthError
from ...core.identity import unavailable
from ...observability.error_log import log_error

__all__ = ["REFUSED", "ask_site", "failed", "name_of", "refusal_of"]

REFUSED = Detail(
    slug="user_function_refused",
    remedy="A function or class of the site, such as the one in the option 'user', did not accept"
    " the token.",
)


def ask_site(function: Callable[..., Any], *arguments: Any, name: str) -> Any:
    """Return what the function returns, or the refusal. Raises only errors of a database.

    `name`: how the log names the function.
    """
    try:
        answer = function(*arguments)
    except DatabaseError:
        raise  # which is asked once more, on a fresh connection
    except Exception as error:  # noqa: BLE001 - whatever a site's function raises
        return refusal_of(error) or failed(name, error)
    if inspect.iscoroutine(answer):
        # Python warns of coroutines that are never awaited, unless they are closed.
        answer.close()
        return failed(name, TypeError("It is asynchronous: make it a plain function."))
    return answer


def failed(name: str, error: Exception, *, about: Iterable[object] = ()) -> TokenAuthError:
    """Log the error of a function or class with its name, and return "unavailable".

    `about`: credentials that the error's text may repeat, as in `log_error`.
    """
    message = f"{name} of this site failed: answered unavailable."
    log_error(message, error, about=about, often=True)
    detail = Detail(
        slug="user_function_failed",
        remedy=f"{name} raised an error, or returned something else than it has to: see the error"
        " in the log.",
    )
    return unavailable(detail)


def refusal_of(error: BaseException) -> TokenAuthError | None:
    """Return the refusal that an exception of a site's or DRF's code means; None if it means none.

    Other packages' exceptions may have a `status_code` as well: there it is the answer of another
    server to this site, which proves nothing about the token.
    """
    if isinstance(error, TokenAuthError):  # a new one: a raised exception keeps its traceback
        return TokenAuthError(error.code, error.retry_after, error.detail or REFUSED)
    status = getattr(error, "status_code", None) if _is_of_drf(error) else None
    if isinstance(error, PermissionDenied) or status == 403:
        return TokenAuthError(CloseReason.FORBIDDEN, detail=REFUSED)
    if isinstance(error, ObjectDoesNotExist | Http404) or status in (401, 404):
        is_inactive = _drf_code(error) == "user_inactive"
        code = CloseReason.USER_INACTIVE if is_inactive else CloseReason.TOKEN_INVALID
        return TokenAuthError(code, detail=REFUSED)
    return None


def name_of(function: Any) -> str:
    """Return a function's or a class's dotted path, for logs."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _is_of_drf(error: BaseException) -> bool:
    """Return True for an exception of Django REST framework, which may not be installed."""
    names = {(each.__module__, each.__qualname__) for each in type(error).__mro__}
    return ("rest_framework.exceptions", "APIException") in names


def _drf_code(error: Any) -> Any:
    """Return the code of DRF's exceptions, which simplejwt puts into a dictionary."""
    detail = getattr(error, "detail", None)
    return detail.get("code") if isinstance(detail, dict) else getattr(detail, "code", None)
