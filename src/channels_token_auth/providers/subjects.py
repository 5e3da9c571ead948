"""Read subject identifiers (RFC 9493, and complex subjects of the Shared Signals Framework 1.0).

A subject is turned into claims like those of an ID token. So the setting `USER`, or `USER_CLAIM`
with `USER_FIELD`, finds the user in the same way for all specifications.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .rejection import ErrorCode, rejected

__all__ = ["Claims", "Subject", "read_subject"]

Claims = Mapping[str, Any]

CLAIMS_OF = {
    "account": {"uri": "uri"},
    "did": {"url": "uri"},
    "email": {"email": "email"},
    "iss_sub": {"iss": "iss", "sub": "sub"},
    "opaque": {"id": "sub"},
    "phone_number": {"phone_number": "phone_number"},
    "uri": {"uri": "uri"},
}
"""The members of each simple format (RFC 9493 §3.2), and the claims that they become."""

MAX_ALIASES = 20
"""The maximal number of identifiers in a list of aliases, so that a request stays cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The owner of the tokens to revoke: a user, a session, or a user's session; or one token.

    `user`: claims that name the user. `opaque`: an id that may name the user or a session; the
    format does not show which. `token`: the id of a single token. With none of them, the subject is
    of a kind that this site cannot find, such as a device or a whole organisation.
    """

    user: Claims | None = None
    session: str | None = None
    opaque: str | None = None
    token: str | None = None


def read_subject(identifier: Any, *, issuer: str) -> Subject:
    """Return the subject of an identifier. Raises Rejected if it is malformed."""
    members = _object(identifier)
    kind = _format(members)
    # Before its final version, [SSF] wrote complex subjects without a "format".
    is_complex = kind == "complex" or (kind is None and {"user", "session"} & members.keys())
    if kind == "jwt_id":  # RFC 8417 §2.1 defines the claims; [CAEP] §3.2.2 shows the format
        named = _texts(members, {"iss": "iss", "jti": "jti"}, issuer)
        return Subject(token=named["jti"])
    if not is_complex:
        user = _user(members, issuer)
        return Subject(user=user, opaque=user["sub"] if user and kind == "opaque" else None)
    # By their presence: with `"session": null`, all tokens of the user would be revoked.
    return Subject(
        user=_user(_object(members["user"]), issuer) if "user" in members else None,
        session=_session(_object(members["session"])) if "session" in members else None,
    )


def _user(members: Mapping[str, Any], issuer: str) -> Claims | None:
    kind = _format(members)
    if kind == "aliases":  # RFC 9493 §3.2.8: several identifiers of the same user
        found = members.get("identifiers")
        if not isinstance(found, list) or not 0 < len(found) <= MAX_ALIASES:
            raise rejected("malformed_subject", "'identifiers' must be a list of identifiers.")
        aliases = [_simple(_object(each), issuer) for each in found]
        return {name: value for each in aliases if each for name, value in each.items()} or None
    return _simple(members, issuer)


def _simple(members: Mapping[str, Any], issuer: str) -> Claims | None:
    wanted = CLAIMS_OF.get(_format(members) or "")
    return None if wanted is None else _texts(members, wanted, issuer)


def _texts(members: Mapping[str, Any], wanted: Mapping[str, str], issuer: str) -> Claims:
    """Return the wanted members as claims, with the provider as their issuer."""
    claims = {claim: members.get(name) for name, claim in wanted.items()}
    if not all(isinstance(each, str) and each and each.isprintable() for each in claims.values()):
        raise rejected("malformed_subject", "The subject lacks a member of its format.")
    # A provider may report its own users only. Some providers add a slash to their own name.
    if str(claims.get("iss", issuer)).rstrip("/") != issuer.rstrip("/"):
        raise rejected(
            "foreign_subject",
            "The subject's 'iss' is not the provider's ISSUER.",
            ErrorCode.ACCESS_DENIED,
        )
    return {**claims, "iss": issuer}


def _session(members: Mapping[str, Any]) -> str:
    """Return the session's id. Raises Rejected without one."""
    # A session that cannot be read must not be ignored: all tokens of its user would be revoked.
    value = members.get("id") if _format(members) == "opaque" else None
    if not isinstance(value, str) or not value or not value.isprintable():
        raise rejected("malformed_subject", "A session needs the format 'opaque' and an 'id'.")
    return value


def _format(members: Mapping[str, Any]) -> str | None:
    """Return the format. Drafts of the standard wrote it as `"subject_type": "iss-sub"`."""
    value = members.get("format", members.get("subject_type"))
    if value is not None and not isinstance(value, str):
        raise rejected("malformed_subject", "The format of a subject must be a text.")
    return None if value is None else value.replace("-", "_")


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise rejected("malformed_subject", "The request names no subject as an object.")
    return value
