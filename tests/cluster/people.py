"""The people in the database, by number; `project.fill` puts them there."""

__all__ = ["PEOPLE", "key"]

PEOPLE = 1000


def key(number: int) -> str:
    """The DRF token of one of them."""
    return f"{number:040x}"
