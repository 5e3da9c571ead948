"""The authenticated sockets of one node, found by user and by token."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from heapq import nlargest

from ..core.revocation import Target
from ..core.token_names import token_name
from .member import Member

__all__ = ["Registry", "Sockets"]


class Registry:
    """Finds the sockets of a target: by an index, if it names a user or a token."""

    def __init__(self) -> None:
        # With the name of the token by which it is indexed: after a reauthentication, a member has
        # another token. Its user stays the same.
        self._all: dict[Member, str | None] = {}
        self._by_user = _Index()
        self._by_token = _Index()

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, member: object) -> bool:
        return member in self._all

    def __iter__(self) -> Iterator[Member]:
        # A copy, because sockets that close during the iteration are removed from the registry.
        return iter(list(self._all))

    def add(self, member: Member) -> None:
        """Index a socket by its user and its token; again after a reauthentication."""
        # A reauthentication changes the token: remove the entry under the old one first.
        if member in self._all:
            self.discard(member)
        token_id = member.token_id
        name = None if token_id is None else token_name(token_id)
        self._all[member] = name
        user_id = member.user_id
        # The first socket of a user or a token needs no call: most are the only one.
        if self._by_user.members.setdefault(user_id, member) is not member:
            self._by_user.add(user_id, member)
        if self._by_token.members.setdefault(name, member) is not member:
            self._by_token.add(name, member)

    def discard(self, member: Member) -> None:
        """Remove a socket, if it is known."""
        if member not in self._all:
            return
        user_id, name = member.user_id, self._all.pop(member)
        if self._by_user.members[user_id] is member:
            del self._by_user.members[user_id]
        else:
            self._by_user.discard(user_id, member)
        if self._by_token.members[name] is member:
            del self._by_token.members[name]
        else:
            self._by_token.discard(name, member)

    def find(self, target: Target) -> list[Member]:
        """Return the sockets of a target."""
        candidates: Iterable[Member]
        if target.token_id is not None:
            candidates = self._by_token.get(token_name(target.token_id))
        elif target.user_id is not None:
            candidates = self._by_user.get(target.user_id)
        else:
            candidates = self
        # The index only narrows the search: an id may occur at several backends and issuers.
        return [member for member in candidates if target.matches(member)]

    def busiest_users(self, limit: int) -> list[tuple[str | None, str | None, int]]:
        """Return the kind, the key and the number of sockets of the users with the most."""
        # The index has primary keys only, and users of two kinds may have the same one.
        counts: Counter[tuple[str | None, str | None]] = Counter()
        for member in self._by_user.largest(limit):
            counts[member.user_kind, member.user_id] += 1
        return [(kind, key, count) for (kind, key), count in counts.most_common(limit)]


class Sockets(Collection[Member]):
    """All sockets of a node: those in its registry, and those in their handshake.

    The registry has its own collection: a second one of all sockets would cost up to 107 bytes for
    each.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._others: set[Member] = set()

    def __len__(self) -> int:
        return len(self._others) + len(self._registry)

    def __iter__(self) -> Iterator[Member]:
        return iter([*self._others, *self._registry])

    def __contains__(self, member: object) -> bool:
        return member in self._others or member in self._registry

    def add(self, member: Member) -> None:
        """Add a socket whose handshake has begun."""
        self._others.add(member)

    def let_in(self, member: Member) -> None:
        """Register a socket that was admitted, or has another token."""
        # First, so that it is in one of the two at each moment.
        self._registry.add(member)
        self._others.discard(member)

    def discard(self, member: Member) -> None:
        """Remove a socket, if it is known."""
        self._others.discard(member)
        self._registry.discard(member)


class _Index:
    """Sockets by a key. The only socket of a key is stored without a set, to save memory."""

    def __init__(self) -> None:
        self.members: dict[str | None, Member | set[Member]] = {}

    def add(self, key: str | None, member: Member) -> None:
        """Add one more socket of a key that has another one."""
        known = self.members[key]
        if isinstance(known, set):
            known.add(member)
        else:  # the second socket of this key: now a set is needed
            self.members[key] = {known, member}

    def discard(self, key: str | None, member: Member) -> None:
        """Remove a socket of a key that has a set of them."""
        known = self.members[key]
        assert isinstance(known, set)  # noqa: S101 - the caller has looked
        known.discard(member)
        if not known:
            del self.members[key]

    def get(self, key: str | None) -> list[Member]:
        known = self.members.get(key)
        if known is None:
            return []
        return list(known) if isinstance(known, set) else [known]

    def largest(self, limit: int) -> Iterator[Member]:
        """Yield the members of the keys with the most members."""
        for key in nlargest(limit, self.members, key=self._size):
            yield from self.get(key)

    def _size(self, key: str | None) -> int:
        known = self.members[key]
        return len(known) if isinstance(known, set) else 1
