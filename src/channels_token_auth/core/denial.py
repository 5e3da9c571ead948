"""Decide which tokens of a user, or with a label, are denied where no database row records it.

One rule for each user or label, however often tokens of it are revoked.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from .token_names import NamedToken

__all__ = ["Denial", "is_issued_before"]


def is_issued_before(
    moment: float, issued_at: float | None, *, verified_at: float | None = None
) -> bool:
    """Return whether a token was issued before `moment`. All times are seconds since the epoch.

    `verified_at`: when this site first verified it, if that is known. A token without a time of
    issue counts as issued before.
    """
    if issued_at is None:
        return True
    # A token exists before it is verified, whatever its `iat` is: that may be ahead of our clock.
    if verified_at is not None and verified_at < moment:
        return True
    # Most issuers write whole seconds (RFC 7519 §2, NumericDate). In the second of `moment`, an old
    # token and one that a view has just issued have equal `iat`: only `verified_at` differs.
    if issued_at == int(issued_at):
        return issued_at + 1 <= moment
    return issued_at <= moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Denies tokens that were issued before `before`, except one.

    `except_backend`, `except_issuer`: those of the excepted token, where they are known: another
    issuer's token may have the same id. The excepted token is denied only if it was issued before
    `floor`: an earlier rule without this exception set it. Times are seconds since the epoch;
    infinity: whenever they were issued. `until`: how long the rule has to be kept; None where that
    is not known.
    """

    before: float
    except_token_id: str | None = None
    except_backend: str | None = None
    except_issuer: str | None = None
    floor: float | None = None
    until: float | None = field(default=None, compare=False)

    def covers(
        self,
        token_id: str,
        issued_at: float | None,
        *,
        verified_at: float | None = None,
        backend: str | None = None,
        issuer: str | None = None,
    ) -> bool:
        """Return whether the token is denied. See `is_issued_before`."""
        excepted = self.excepted
        # By id, backend and issuer: the excepted id may be the id of another issuer's token, too.
        is_spared = excepted is not None and excepted.is_of(
            token_id, backend=backend, issuer=issuer
        )
        bound = self.floor if is_spared else self.before
        return bound is not None and is_issued_before(bound, issued_at, verified_at=verified_at)

    @property
    def excepted(self) -> NamedToken | None:
        """The token that stays valid, if there is one."""
        if self.except_token_id is None:
            return None
        return NamedToken(
            token_id=self.except_token_id, backend=self.except_backend, issuer=self.except_issuer
        )

    def merged(self, older: "Denial | None") -> "Denial":
        """Return one rule that denies what either rule denies."""
        if older is None:
            return self
        first, second = sorted((older, self), key=lambda denial: denial.before)
        kept = _narrower(first.excepted, second.excepted)
        # The later rule spares its excepted token. The earlier rule still denies that token if it
        # was issued before the earlier rule's time, unless both rules spare it: hence `floor`.
        excepted = kept or second.excepted
        return Denial(
            before=second.before,
            except_token_id=excepted.token_id if excepted else None,
            except_backend=excepted.backend if excepted else None,
            except_issuer=excepted.issuer if excepted else None,
            floor=_latest([second.floor, first.floor if kept else first.before]),
            until=_latest([older.until, self.until]),
        )

    def to_entry(self) -> dict[str, Any]:
        """Return plain values: some caches store JSON, which has no infinity."""
        return {name: _EVER if each == math.inf else each for name, each in asdict(self).items()}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """Read the values of `to_entry`."""
        values: dict[str, Any] = {
            name: math.inf if each == _EVER else each for name, each in entry.items()
        }
        return cls(**values)


def _narrower(one: NamedToken | None, other: NamedToken | None) -> NamedToken | None:
    """Return the more exact name of a token that both name; None if they name two tokens."""
    if one is None or other is None:
        return None
    if one.includes(other):
        return other
    return one if other.includes(one) else None


def _latest(moments: Iterable[float | None]) -> float | None:
    return max((each for each in moments if each is not None), default=None)


_EVER = "ever"
