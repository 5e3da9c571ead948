"""The one error of this library: a code for machines, a sentence for people, never a secret."""

from .close_codes import CloseReason

__all__ = ["TokenAuthError"]


class TokenAuthError(Exception):
    """A credential, or a socket, is refused.

    `code` says why; `retry_after` is a number of whole seconds, or None where trying again
    does not help.
    """

    def __init__(self, code: CloseReason, retry_after: int | None = None) -> None:
        super().__init__(code, retry_after)
        self.code = code
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.code} ({self.code.close_code})"
