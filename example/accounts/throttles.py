"""Limit how often a client may try to log in, and sign out."""

import hashlib

from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle

__all__ = ["LoginAddressThrottle", "LoginUsernameThrottle", "SignOutThrottle"]


class LoginAddressThrottle(SimpleRateThrottle):
    """Limit the attempts of one address on all usernames."""

    scope = "login-address"

    def get_cache_key(self, request, view):
        return f"{self.scope}:{self.get_ident(request)}"


class LoginUsernameThrottle(SimpleRateThrottle):
    """Limit the attempts of one address on one username.

    Not on one username from everywhere: then anybody could lock its owner out.
    """

    scope = "login-username"

    def get_cache_key(self, request, view):
        data = request.data if isinstance(request.data, dict) else {}
        who = f"{self.get_ident(request)} {str(data.get('username')).strip().lower()}"
        return f"{self.scope}:{hashlib.sha256(who.encode(errors='replace')).hexdigest()}"


class SignOutThrottle(UserRateThrottle):
    """Limit how often a user closes all of their sockets."""

    scope = "sign-out"
