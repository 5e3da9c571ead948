"""Index the words of all pages with each word's stem computed once: most words come many times."""

from functools import cache
from typing import Any

from sphinx.search.en import SearchEnglish

__all__ = ["English"]


class English(SearchEnglish):
    """Sphinx's index for English, with a memory."""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.stem = cache(super().stem)


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_search_language(English)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
