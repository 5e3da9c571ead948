"""Check `SIMPLE_JWT` for settings that accept more than they seem to."""

from collections.abc import Iterator

from django.core import checks
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from ..sources.remote import Remote

__all__ = ["check_keys", "check_types"]

HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The shortest key of each algorithm (RFC 7518 §3.2)."""


def check_types() -> Iterator[checks.CheckMessage]:
    """Report settings with which a refresh token passes for an access token."""
    # `UntypedToken` does not compare the type, and without the claim no token has one.
    classes = api_settings.AUTH_TOKEN_CLASSES
    if api_settings.TOKEN_TYPE_CLAIM is None or any(
        issubclass(each, RefreshToken | UntypedToken) for each in classes
    ):
        yield checks.Error(
            "SIMPLE_JWT does not distinguish refresh tokens from access tokens, so a refresh token"
            " opens sockets until it expires.",
            hint="Set TOKEN_TYPE_CLAIM to a name, and remove RefreshToken and UntypedToken from"
            " AUTH_TOKEN_CLASSES.",
            id="channels_token_auth.E110",
        )


def check_keys() -> Iterator[checks.CheckMessage]:
    """Report keys that can be guessed, and keys that an attacker on the network could replace."""
    # 0 for algorithms with a key pair, whose SIGNING_KEY is a PEM, or not set at all.
    least = HMAC_BYTES.get(api_settings.ALGORITHM, 0)
    if len(str(api_settings.SIGNING_KEY or "").encode()) < least:
        yield checks.Warning(
            f"SIMPLE_JWT's SIGNING_KEY has fewer than {least} bytes: anyone with a token can find"
            " it by trying, and then sign any token.",
            hint="Generate a random key of that size. Tokens signed with the old one become"
            " invalid.",
            id="channels_token_auth.W110",
        )
    url = api_settings.JWK_URL
    if url and (problem := Remote(url, timeout=1, max_bytes=1).problem):
        yield checks.Error(
            f"SIMPLE_JWT's JWK_URL {problem}. Nothing is fetched from it here.",
            hint="Use https; http is accepted for this very machine only.",
            id="channels_token_auth.E112",
        )
