"""The sockets of one node that have a user, found by user and by token."""

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from ..core.revocation import Described, Target

__all__ = ["Registry"]


class Registered(Described, Protocol):
    """What can be found again: hashable by itself, and with a user."""


Item = TypeVar("Item", bound=Registered)


class Registry(Generic[Item]):
    """Finds those that a target means without looking at all of them, where it names whose."""

    def __init__(self) -> None:
        self._all: dict[Item, tuple[str | None, str | None]] = {}
        self._by_user = _Index[Item]()
        self._by_token = _Index[Item]()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self._all))

    def add(self, item: Item) -> None:
        """Note whose it is; again, where it has another token by now."""
        if item in self._all:
            self.discard(item)
        self._all[item] = keys = item.user_id, item.token_id
        self._by_user.add(keys[0], item)
        self._by_token.add(keys[1], item)

    def discard(self, item: Item) -> None:
        """Forget it, if it is there."""
        keys = self._all.pop(item, None)
        if keys:
            self._by_user.discard(keys[0], item)
            self._by_token.discard(keys[1], item)

    def find(self, target: Target) -> list[Item]:
        """Those that it means."""
        candidates: Iterable[Item]
        if target.token_id is not None:
            candidates = self._by_token.get(target.token_id)
        elif target.user_id is not None:
            candidates = self._by_user.get(target.user_id)
        else:
            candidates = self
        return [item for item in candidates if target.matches(item)]


class _Index(Generic[Item]):
    """Items by a key. Most keys have one item, which then lies there without a set around it."""

    def __init__(self) -> None:
        self._items: dict[str | None, Item | set[Item]] = {}

    def add(self, key: str | None, item: Item) -> None:
        known = self._items.setdefault(key, item)
        if isinstance(known, set):
            known.add(item)
        elif known is not item:
            self._items[key] = {known, item}

    def discard(self, key: str | None, item: Item) -> None:
        known = self._items[key]
        if isinstance(known, set):
            known.discard(item)
            if known:
                return
        del self._items[key]

    def get(self, key: str) -> list[Item]:
        known = self._items.get(key)
        if known is None:
            return []
        return list(known) if isinstance(known, set) else [known]
