"""Decide by the entries and the epoch of the denylist whether a token is denied."""

from collections.abc import Mapping
from typing import Any

from ...core.authentication import epoch
from ...core.close_codes import CloseReason
from ...core.denial import Denial
from ...core.identity import Grant
from ...core.label_denials import LabelDenial
from .epoch import Epoch
from .names import GrantNames

__all__ = ["denial_reason"]


def denial_reason(
    grant: Grant,
    found: GrantNames,
    entries: Mapping[str, Any],
    current: Epoch | None,
    *,
    has_store: bool,
) -> CloseReason | None:
    """Return why the token is denied by the entries that were read for it; None: it is not.

    `has_store`: its backend's own store records most revocations, so a wiped cache does not end it.
    """
    token = grant.authentication
    issued_at = epoch(token.issued_at)
    if any(name in entries for name in found.tokens):
        return CloseReason.TOKEN_REVOKED
    if _is_user_denied(grant, found, entries, has_store=has_store) or any(
        LabelDenial.from_entry(each).covers(token, grant.user_kind, verified_at=grant.verified_at)
        for name in found.labels
        for each in entries.get(name, ())
    ):
        return CloseReason.TOKEN_REVOKED
    wiped_at = current.wiped_at if current and not has_store else None
    # In whole seconds, as in most tokens (RFC 7519 §2): a token that was issued in the same second
    # may be one that its client has fetched after the wipe.
    if wiped_at is not None and issued_at is not None and issued_at < int(wiped_at):
        return CloseReason.TOKEN_EXPIRED
    return None


def _is_user_denied(
    grant: Grant, found: GrantNames, entries: Mapping[str, Any], *, has_store: bool
) -> bool:
    token = grant.authentication
    issued_at = epoch(token.issued_at)
    # See `Revocations.STORE`: the token may be younger than the rule, and its store knows.
    if issued_at is None and has_store:
        return False
    rules = (Denial.from_entry(entries[name]) for name in found.users if name in entries)
    return any(
        rule.covers(
            token.token_id,
            issued_at,
            verified_at=grant.verified_at,
            backend=token.backend,
            issuer=token.issuer,
        )
        for rule in rules
    )
