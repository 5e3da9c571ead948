"""What is dangerous in the options of the JWT backend."""

from collections.abc import Iterator

import jwt
from django.core import checks

from .key_server import is_safe_url
from .keys import VerifyingKey, read_key
from .options import JWTOptions

__all__ = ["check_options"]

LEAST_BITS = {
    "HS256": 256,
    "HS384": 384,
    "HS512": 512,
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), 2048),
}
"""The shortest secret (RFC 7518 §3.2) and RSA key (§3.3) of each algorithm."""


def check_options(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    """A message on each."""
    yield from _check_algorithms(options)
    if options.jwks_url is None:
        yield from _check_keys(options)
    else:
        yield from _check_key_server(options, options.jwks_url)
    yield from _check_claims(options)


def _check_algorithms(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    for name in options.algorithms:
        if name == "none" or not _is_known(name):
            yield checks.Error(
                f"{name!r} in 'algorithms' is none that PyJWT verifies a signature with.",
                hint="Name those that your issuer signs with, such as 'RS256'.",
                id="channels_token_auth.E120",
            )
    are_hmac = {name.startswith("HS") for name in options.algorithms}
    if len(are_hmac) > 1 or (options.jwks_url and True in are_hmac):
        yield checks.Error(
            "'algorithms' has HS… beside public keys, which everybody knows: taken for a secret, a"
            " public key lets everybody sign tokens.",
            hint="Name HS… with a secret of your own, or the others with public keys.",
            id="channels_token_auth.E121",
        )


def _is_known(name: str) -> bool:
    try:
        jwt.get_algorithm_by_name(name)
    except NotImplementedError:
        return False
    return True


def _check_keys(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    names = ", ".join(options.algorithms)
    for number, material in enumerate(options.own_keys, 1):
        try:
            key = read_key(material, options.algorithms)
        except ValueError:
            yield checks.Error(
                f"Key {number} of the JWT backend cannot be used with {names}.",
                hint="HS… needs a secret that is no PEM; each other algorithm a PEM of its type.",
                id="channels_token_auth.E122",
            )
            continue
        if _is_short(key):
            yield checks.Error(
                f"Key {number} of the JWT backend is too short for {names}: who has a token can"
                " find it offline, and then sign any.",
                hint="Take 32, 48 or 64 random bytes for HS256, HS384 or HS512, and 2048 bits or"
                " more for RSA.",
                id="channels_token_auth.E123",
            )


def _is_short(key: VerifyingKey) -> bool:
    least = max(LEAST_BITS.get(name, 0) for name in key.algorithms)
    return key.bits is not None and key.bits < least


def _check_key_server(options: JWTOptions, url: str) -> Iterator[checks.CheckMessage]:
    if not is_safe_url(url):
        yield checks.Error(
            "The option 'jwks_url' is no https URL: anybody on the way could publish his own keys."
            " Nothing is fetched from it.",
            hint="Use https; http is for loopback hosts only.",
            id="channels_token_auth.E124",
        )
    if options.issuer is None:
        yield checks.Warning(
            "The JWT backend has a 'jwks_url' and no 'issuer': a key server may sign for many.",
            hint="Set 'issuer' to what the claim 'iss' of your tokens says.",
            id="channels_token_auth.W121",
        )


def _check_claims(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    if options.audience is None and (options.jwks_url or options.issuer):
        yield checks.Warning(
            "The JWT backend has no 'audience': tokens that name none are accepted, whichever"
            " service they were issued for, and those that name one are refused.",
            hint="Set 'audience' to what the claim 'aud' of your tokens says of this site.",
            id="channels_token_auth.W120",
        )
    if not options.require_exp:
        yield checks.Warning(
            "The JWT backend's 'require_exp' is False: a token without 'exp' is good for ever.",
            hint="Have the issuer set 'exp', or set MAX_CONNECTION_AGE at least.",
            id="channels_token_auth.W122",
        )
