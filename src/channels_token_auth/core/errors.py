"""Define the library's one error: a code for machines, details for the site's developers."""

import math
from dataclasses import dataclass, replace
from typing import Any

from .close_codes import CloseReason

__all__ = ["Detail", "TokenAuthError"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The reason of a refusal for the site's developers: logged, and never sent to the client.

    `slug` is stable, such as "wrong_audience". `remedy` is one sentence: what to change.
    Neither may contain a secret, nor text that a client has chosen.
    """

    slug: str
    remedy: str

    def expecting(self, setting: str, value: Any) -> "Detail":
        """Return this reason with the value of the setting that the token does not match."""
        return replace(self, remedy=f"{self.remedy} {setting} is {value!r}.")


class TokenAuthError(Exception):
    """A credential, or a socket, is refused.

    `code`: the reason, or its text, which decides the close code and the HTTP status. Another text
    raises ValueError. `retry_after`: the whole seconds after which the client may try again (RFC
    9110, section 10.2.3); None where trying again does not help. `detail`: the reason for
    developers, where more is known than the code.

    A backend returns it as a verdict, so that no other backend is asked. A consumer may raise it,
    as `requires_scopes` does: the socket closes with the code.
    """

    def __init__(
        self,
        code: CloseReason | str,
        retry_after: float | None = None,
        detail: Detail | None = None,
    ) -> None:
        code = CloseReason(code)
        # Rounded up, since the client must not come back sooner. Clients ignore an `auth.error`
        # whose seconds are not whole.
        whole = None if retry_after is None else max(0, math.ceil(retry_after))
        super().__init__(code, whole, detail)
        self.code = code
        self.retry_after = whole
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code} ({self.code.close_code})"
