"""Write the parts of the reference that come from the code, one module for each subject."""

from collections.abc import Callable

from . import close_codes, settings

__all__ = ["GENERATORS"]

GENERATORS: dict[str, Callable[..., str]] = {
    "close-codes": close_codes.codes_table,
    "close-code": close_codes.facts,
    "setting": settings.default_of,
    "server-codes": close_codes.of_servers,
}
