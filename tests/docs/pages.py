"""Read the project's documents as tests need them: code blocks, tables, links."""

import re
from pathlib import Path

__all__ = ["PAGES", "ROOT", "anchors", "links", "read", "snippets", "table"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


def read(page: str) -> str:
    return (ROOT / page).read_text()


def snippets(page: str, language: str, heading: str = "") -> list[str]:
    """Return the fenced blocks of a language, in order: of the page, or from a heading on."""
    _, _, text = read(page).partition(heading) if heading else ("", "", read(page))
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def table(page: str, heading: str) -> list[list[str]]:
    """The body of the table whose header row begins with `heading`, without backticks."""
    lines = iter(read(page).splitlines())
    next(line for line in lines if line.startswith(f"| {heading} |"))
    next(lines)  # the rule
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def links(page: str) -> list[str]:
    """Return the targets of a page's links and images within the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", read(page))
    return [target for target in targets if not target.startswith("https://")]


def anchors(page: str) -> set[str]:
    """The anchors that GitHub gives the headings."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
