"""Objects of this process that are listed for as long as something else holds them."""

from collections.abc import Iterator
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Living"]

T = TypeVar("T")


class Living(Generic[T]):
    """Any thread may add an object, or read the list, at any time.

    A `WeakSet` raises RuntimeError if another thread adds an object while it is read.
    """

    def __init__(self) -> None:
        self._objects: WeakKeyDictionary[T, None] = WeakKeyDictionary()

    def add(self, one: T) -> None:
        """List the object, until nothing else holds it."""
        self._objects[one] = None

    def clear(self) -> None:
        """List nothing any more."""
        self._objects.clear()

    def __iter__(self) -> Iterator[T]:
        # `keyrefs` copies the keys in one step, which no other thread can interrupt.
        found = (each() for each in self._objects.keyrefs())
        return (each for each in found if each is not None)
