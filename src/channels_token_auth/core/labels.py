"""Read the labels that a caller names: pairs such as a session's `sid` or a client's id."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["NO_LABELS", "Labels", "read_labels"]

Labels = frozenset[tuple[str, str]]
"""Pairs of a name and a value, both text. A token must have all of them to match."""


class _NoLabels(Mapping[str, str]):
    """An empty mapping that nobody can change. Unlike a `MappingProxyType`, it can be copied."""

    __slots__ = ()

    def __getitem__(self, name: str) -> str:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    # A dataclass accepts no default that cannot be hashed.
    def __hash__(self) -> int:
        return hash(())

    def __repr__(self) -> str:
        return "{}"


NO_LABELS: Mapping[str, str] = _NoLabels()
"""The labels of a token without any. One object for all: a `{}` would cost 64 bytes per socket."""

WANTED = 'Name at least one, such as {"sid": "abc"}, ("sid", "abc") or a list of such pairs.'


def read_labels(label: Any) -> Labels:
    """Return the labels of a mapping, of one pair, or of several pairs.

    Whole numbers become texts, as they do in `Authentication.labels`. Raises TypeError for any
    other value, and for an empty one: no label would match every token. Raises ValueError for a
    text that is not Unicode.
    """
    pairs = list(_pairs(label))
    for pair in pairs:
        if not _is_pair(pair):
            raise TypeError(f"The label {pair!r} is not a pair of a name and a value. {WANTED}")
    if not pairs:
        raise TypeError(f"The labels are {label!r}. {WANTED}")
    for part in (str(part) for pair in pairs for part in pair):
        part.encode()  # a message to other nodes cannot contain half of a surrogate pair
    return frozenset((str(name), str(value)) for name, value in pairs)


def _pairs(label: Any) -> Iterable[Any]:
    if isinstance(label, Mapping):
        return label.items()
    if isinstance(label, str) or not isinstance(label, Iterable):
        return [label]
    parts = list(label)
    return [tuple(parts)] if isinstance(label, tuple | list) and _is_pair(parts) else parts


def _is_pair(pair: Any) -> bool:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        return False
    name, value = pair
    is_value = isinstance(value, str | int) and not isinstance(value, bool)
    return isinstance(name, str) and name != "" and is_value and value != ""
