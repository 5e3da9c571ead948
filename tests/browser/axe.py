"""Ask axe-core, an accessibility checker, what is wrong with a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

__all__ = ["COLORS", "SERIOUS", "findings"]

AXE = Path(__file__).parents[2] / "client" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = frozenset({"serious", "critical"})
# All that a color scheme changes.
COLORS = ("color-contrast", "link-in-text-block")
ALL = SERIOUS | {"minor", "moderate"}


def findings(page: Page, impacts: frozenset[str] = ALL, *, rules: Sequence[str] = ()) -> list[str]:
    """Return a line for each element that breaks a rule with one of the impacts.

    `rules`: the only ones to check, such as those about colors in another color scheme.

    The checker is evaluated over the debugger: no Content-Security-Policy keeps it out.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    result: dict[str, Any] = page.evaluate("(options) => axe.run(options)", options)
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: {rule['help']}"
        for rule in result["violations"]
        if rule["impact"] in impacts
        for node in rule["nodes"]
    ]
