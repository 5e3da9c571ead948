"""Revoke the tokens of a user, and close their sockets, on every node."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ..backends.contract import TokenBackend
from ..backends.sources.users import named_user, row_key
from ..clock import clock
from ..core.authentication import epoch
from ..core.credentials import Secret
from ..core.denial import Denial
from ..core.identity import UserKey
from ..core.revocation import Target
from ..core.revocation.criteria import ANY, named_moment
from ..tasks import asynchronous
from ..tenants.site import in_tenant
from ..verification.authenticator import Authenticator, site_authenticator
from .carry_out import Plan, carry_out
from .identification import Excepted, excepted, hidden
from .kinds import backends_of, without_rows
from .known_names import known_backends
from .pending.margins import deadline_of

__all__ = ["arevoke_user", "revoke_user"]


def revoke_user(
    user: Any,
    *,
    except_token: Any = None,
    issued_before: datetime = ANY,
    margin: float | None = None,
) -> None:
    """Revoke the tokens of a user, and close their sockets on every node.

    `user`: an instance is one user. A primary key means every user with this key: this site's, and
    those of each service whose tokens the site accepts; a key that no user of this site can have in
    this form, such as 5 where keys are UUIDs, only the latter. `except_token`: a token that stays
    valid: the token, its `token_id`, or a socket's `scope["auth"]`, which also has its backend and
    issuer; an id alone spares the user's tokens with this id of every issuer. None spares none, as
    `request.auth` of a request with a session. `issued_before`: an aware datetime; later tokens
    stay valid. The default is now, so that a token which is issued after this call is valid.
    `margin`: seconds for which open sockets stay open and may be given a token that was issued
    after this call, as after a change of roles: their clients receive `auth.expiring`, and those
    that do not reauthenticate are closed with 4419. Raises TypeError for an unsaved user, and for a
    user or an `issued_before` that is None; ValueError for an `issued_before` without a time zone
    or outside the years 1 to 9999 in UTC, and for a margin over an hour; else as `revoke_token`
    does. It is also a TypeError to name 1.5, or another object that cannot be a key.
    """
    except_token = hidden(except_token)
    whose, times = in_tenant(named_user(user)), named_moment(issued_before=issued_before)
    # Before all else: a token without a row that is issued meanwhile is newer, and stays valid.
    now, deadline = clock.calendar(), deadline_of(margin)
    authenticator = site_authenticator()
    kept = None if except_token is None else excepted(authenticator, except_token)
    before: datetime | None = times.get("issued_before")
    moment = epoch(before)
    # The backend of the spared token has tokens of this user, whatever kind its users have.
    own = kept.token.backend if kept else None
    backends = known_backends()
    target = replace(_sparing(whose, kept), issued_before=now if moment is None else moment)
    step = partial(_revoke_rows, user_pk=row_key(user), kept=kept, issued_before=before)
    carry_out(
        Plan(
            targets=[target],
            steps=[(each, partial(step, each)) for each in backends_of(whose, backends, own=own)],
            denied_at=without_rows(backends),
            deny=partial(_deny, authenticator, whose, target),
            supersedes=_of_rows(target, is_whole=before is None or margin is not None),
            deadline=deadline,
            about=[except_token] if isinstance(except_token, Secret) else (),
        )
    )


arevoke_user = asynchronous(revoke_user)


def _sparing(user: UserKey, kept: Excepted | None) -> Target:
    if kept is None:
        return Target.of_user(user)
    # With its backend and issuer, if they are known: another issuer's token may have the same id.
    token = kept.token
    return Target.of_user(
        user,
        except_token_id=token.token_id,
        except_backend=token.backend,
        except_issuer=token.issuer,
    )


def _of_rows(target: Target, *, is_whole: bool) -> Target | None:
    """Return the revocation that covers those of the user's rows; None if some rows stay."""
    # A signal's revocation names no time of issue: only a target without one covers it.
    return replace(target, issued_before=None) if is_whole else None


def _revoke_rows(
    backend: TokenBackend, *, user_pk: Any, kept: Excepted | None, issued_before: datetime | None
) -> bool:
    return backend.revoke_user(
        user_pk,
        except_token_id=kept.id_at(backend) if kept else None,
        issued_before=issued_before,
    )


def _deny(authenticator: Authenticator, user: UserKey, target: Target) -> None:
    before = float(target.issued_before or 0.0)
    denial = Denial(
        before=before,
        except_token_id=target.except_token_id,
        except_backend=target.except_backend,
        except_issuer=target.except_issuer,
    )
    authenticator.denylist.deny_user(user, denial)
    # Tokens have whole seconds. Of those of this second, only those that were verified before now
    # are older: the others may be the ones that the user logs in with next.
    authenticator.denylist.deny_first_verified(target)
