"""Revoke the tokens of a user, and close their sockets, on every node."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async

from ..backends.contract import TokenBackend
from ..backends.sources.users import named_user, row_key
from ..clock import clock
from ..core.authentication import epoch
from ..core.denial import Denial
from ..core.identity import UserKey
from ..core.revocation import Target
from ..verification.authenticator import Authenticator, site_authenticator
from .carry_out import Plan, carry_out
from .identification import token_id_of
from .kinds import backends_of, without_rows

__all__ = ["arevoke_user", "revoke_user"]


def revoke_user(
    user: Any, *, except_token: Any = None, issued_before: datetime | None = None
) -> None:
    """Revoke the tokens of a user, and close their sockets on every node.

    `user`: an instance is one user. A primary key names the users with this key in every kind: this
    site's, and those of each service whose tokens it accepts. `except_token`: one that stays,
    itself or its `token_id`, or a socket's `scope["auth"]`. `issued_before`: an aware datetime;
    later tokens stay. Without it, the time is now, so that a token which is issued after this call
    is valid. Raises TypeError for None and for an unsaved user; else as `revoke_token` does.
    """
    whose = named_user(user)
    authenticator = site_authenticator()
    excepted = None if except_token is None else token_id_of(authenticator, except_token)
    moment = epoch(issued_before)
    target = Target.of_user(
        whose,
        except_token_id=excepted,
        issued_before=clock.calendar() if moment is None else moment,
    )
    step = partial(
        _revoke_rows,
        user_pk=row_key(user),
        except_token_id=excepted,
        issued_before=issued_before,
    )
    carry_out(
        Plan(
            targets=[target],
            steps=[
                (each, partial(step, each)) for each in backends_of(whose, authenticator.backends)
            ],
            denied_at=without_rows(authenticator.backends),
            deny=partial(_deny, authenticator, whose, target),
            instead_of=replace(target, issued_before=None) if issued_before is None else None,
        )
    )


async def arevoke_user(user: Any, **which: Any) -> None:
    """`revoke_user` for asynchronous code."""
    await sync_to_async(revoke_user)(user, **which)


def _revoke_rows(backend: TokenBackend, *, user_pk: Any, **which: Any) -> bool:
    return backend.revoke_user(user_pk, **which)


def _deny(authenticator: Authenticator, user: UserKey, target: Target) -> None:
    before = float(target.issued_before or 0.0)
    denial = Denial(before=before, except_token_id=target.except_token_id)
    authenticator.denylist.deny_user(user, denial)
    authenticator.denylist.deny_first_verified(target)
