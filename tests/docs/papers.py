"""The project's papers, read as a test needs them: snippets, tables, links."""

import re
from pathlib import Path

__all__ = ["PAPERS", "ROOT", "anchors", "links", "read", "snippets", "table"]

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


def read(paper: str) -> str:
    return (ROOT / paper).read_text()


def snippets(paper: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(paper), re.DOTALL | re.MULTILINE)


def table(paper: str, heading: str) -> list[list[str]]:
    """The body of the table whose header row begins with `heading`, without backticks."""
    lines = iter(read(paper).splitlines())
    next(line for line in lines if line.startswith(f"| {heading} |"))
    next(lines)  # the rule
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def links(paper: str) -> list[str]:
    """Where the links and images of a paper lead within the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", read(paper))
    return [target for target in targets if not target.startswith("https://")]


def anchors(paper: str) -> set[str]:
    """The anchors that GitHub gives the headings."""
    headings = re.findall(r"^#+ (.+)$", read(paper), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
