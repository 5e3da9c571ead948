"""Write the parts of the reference that come from the code, one module for each subject."""

from collections.abc import Callable

from . import checks, close_codes, outcomes, settings

__all__ = ["GENERATORS"]

GENERATORS: dict[str, Callable[..., str]] = {
    "checks": checks.listed,
    "close-codes": close_codes.codes_table,
    "close-code": close_codes.facts,
    "comparison": outcomes.comparison,
    "comparison-brief": outcomes.brief,
    "outcomes": outcomes.of_migration,
    "setting": settings.default_of,
    "server-codes": close_codes.of_servers,
}
