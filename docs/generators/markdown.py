"""Write Markdown: a table, code."""

from collections.abc import Iterable, Sequence

__all__ = ["code", "table"]

_PIPE, _ESCAPED = "|", "\\|"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; a pipe in a cell is escaped."""
    lines = [_row(heads), "|" + "---|" * len(heads)]
    return "\n".join([*lines, *(_row(row) for row in rows)])


def code(value: object) -> str:
    """Return a value in backticks."""
    return f"`{value}`"


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell).replace(_PIPE, _ESCAPED) for cell in cells)} |"
