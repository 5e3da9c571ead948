"""Decide which tokens are denied by their labels, where no database row records it.

All denials that share one label are stored in one entry: a list of them, each with its further
conditions. A token is compared with the entries of its own labels only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from .authentication import Authentication, epoch
from .denial import Denial
from .identity import is_of_kind
from .labels import Labels

__all__ = ["LabelDenial", "merged", "shared_label"]

SESSION_LABEL = "sid"
"""The label with the fewest tokens (OpenID Connect Back-Channel Logout 1.0, section 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDenial:
    """Denies tokens that have all of `labels`, by the times of `denial`.

    `issuer`, `user_kind`: only tokens of this issuer, and of users of this kind; None: of any. The
    issuer "" means tokens that name none.
    """

    labels: Labels
    denial: Denial
    issuer: str | None = None
    user_kind: str | None = None

    def covers(
        self, token: Authentication, user_kind: str | None, *, verified_at: float | None
    ) -> bool:
        """Return whether the token is denied."""
        return (
            # All labels must match: a logout token with `sid` and `sub` is about one login of one
            # user (OpenID Connect Back-Channel Logout 1.0, section 2.4).
            self.labels <= token.labels.items()
            and self.issuer in (None, token.issuer or "")
            and is_of_kind(user_kind, self.user_kind)
            and self.denial.covers(
                token.token_id,
                epoch(token.issued_at),
                verified_at=verified_at,
                backend=token.backend,
                issuer=token.issuer,
            )
        )

    def to_entry(self) -> dict[str, Any]:
        """Return plain values: some caches store JSON."""
        labels = sorted(list(label) for label in self.labels)
        return asdict(self) | {"labels": labels, "denial": self.denial.to_entry()}

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> Self:
        """Read the values of `to_entry`."""
        labels = frozenset((name, value) for name, value in entry["labels"])
        return cls(**{**entry, "labels": labels, "denial": Denial.from_entry(entry["denial"])})


def merged(new: LabelDenial, older: Sequence[LabelDenial], *, now: float) -> list[LabelDenial]:
    """Return a list that denies all that these deny, with one denial for equal conditions.

    Denials that have ended at `now` are dropped. Otherwise the entry of a label that is revoked
    often would grow without bound.
    """
    others = []
    for each in older:
        # Equal in all but the times: one denial with merged times replaces both.
        if replace(each, denial=new.denial) == new:
            new = replace(new, denial=new.denial.merged(each.denial))
        elif each.denial.until is None or now < each.denial.until:
            others.append(each)
    return [new, *others]


def shared_label(labels: Labels) -> tuple[str, str]:
    """Return the label under which a denial of all these labels is stored: the most exact one."""
    # Any of them would be found, since a token is looked up under each of its labels. `sid` keeps
    # the lists short: a `client_id` is shared by all users of a client.
    return min(labels, key=lambda label: (label[0] != SESSION_LABEL, label))
