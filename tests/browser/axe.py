"""Ask axe-core, an accessibility checker, what is wrong with a page."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

__all__ = ["SERIOUS", "findings"]

AXE = Path(__file__).parents[2] / "client" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = frozenset({"serious", "critical"})
ALL = SERIOUS | {"minor", "moderate"}


def findings(page: Page, impacts: frozenset[str] = ALL) -> list[str]:
    """Return a line for each element that breaks a rule with one of the impacts.

    The checker is evaluated over the debugger: no Content-Security-Policy keeps it out.
    """
    page.evaluate(AXE.read_text())
    result: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {rule['help']}"
        for rule in result["violations"]
        if rule["impact"] in impacts
        for node in rule["nodes"]
    ]
