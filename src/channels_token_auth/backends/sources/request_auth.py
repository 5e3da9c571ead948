"""Read claims from the object that a class of Django REST framework returns as `request.auth`.

It may be a mapping, as for a JWT; an object, as for a row; a text; or None. The class has accepted
the token, so a claim with a wrong type is left out, and is no reason to refuse the token.
"""

from typing import Any

from .claims import Claims, is_moment

__all__ = ["read_request_auth"]

_TEXTS = ("iss", "jti", "scope")
_TIMES = ("exp", "iat")


def read_request_auth(auth: Any) -> Claims:
    """Return the registered claims that it has."""
    claims = {name: _claim(auth, name) for name in (*_TEXTS, *_TIMES, "cnf")}
    wrong = {name for name in _TEXTS if not isinstance(claims[name], str)}
    wrong |= {name for name in _TIMES if not is_moment(claims[name])}
    # Rows and functions have attributes of any name: only a mapping is bound to a key (RFC 7800).
    wrong |= {"cnf"} if not isinstance(claims["cnf"], dict) else set()
    return {name: claim for name, claim in claims.items() if name not in wrong}


def _claim(auth: Any, name: str) -> Any:
    try:
        return auth[name]
    except (LookupError, TypeError):
        return getattr(auth, name, None)
