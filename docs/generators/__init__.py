"""Write the parts of the reference that come from the code, one module for each subject."""

from collections.abc import Callable

from . import (
    asvs,
    checks,
    close_codes,
    commands,
    measured,
    outcomes,
    packages,
    protocol,
    python_api,
    reasons,
    settings,
    supported,
    typescript,
)

__all__ = ["GENERATORS"]

GENERATORS: dict[str, Callable[..., str]] = {
    "asvs": asvs.requirements,
    "asvs-limits": asvs.limits,
    "checks": checks.listed,
    "close-codes": close_codes.codes_table,
    "close-code": close_codes.facts,
    "commands": commands.described,
    "comparison": outcomes.comparison,
    "comparison-brief": outcomes.brief,
    "messages": protocol.messages,
    "outcomes": outcomes.of_migration,
    "packages": packages.tree,
    "python": python_api.module,
    "setting": settings.default_of,
    "left-line": reasons.left_line,
    "log-line": reasons.log_line,
    "reasons": reasons.listed,
    "reasons-of-providers": reasons.of_providers,
    "request-line": reasons.request_line,
    "server-codes": close_codes.of_servers,
    "signals": python_api.signals,
    "shortfalls": measured.shortfalls,
    "speed": measured.speed,
    "speeds": measured.speeds,
    "storm": measured.storm,
    "supported-packages": supported.by_packages,
    "supported-versions": supported.by_versions,
    "typescript": typescript.declarations,
}
