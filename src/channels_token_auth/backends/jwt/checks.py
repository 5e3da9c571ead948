"""Check the options of the JWT backend for dangerous values."""

from collections.abc import Iterator

import jwt
from django.core import checks

from ..sources.jwks.keys import VerifyingKey, read_key
from ..sources.remote import Remote
from .options import JWTOptions

__all__ = ["check_options"]

LEAST_BITS = {
    "HS256": 256,
    "HS384": 384,
    "HS512": 512,
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), 2048),
}
"""Bits of the shortest secret (RFC 7518 §3.2) and RSA key (§3.3) of each algorithm."""


def check_options(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    """Yield a message on each dangerous option."""
    yield from _check_algorithms(options)
    if options.jwks_url is None:
        yield from _check_keys(options)
    else:
        yield from _check_key_server(options, options.jwks_url)
    yield from _check_claims(options)


def _check_algorithms(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    for name in options.algorithms:
        # PyJWT knows "none" too, which signs nothing (RFC 7518, section 3.6).
        if name == "none" or not _is_known(name):
            yield checks.Error(
                f"{name!r} in 'algorithms' is no algorithm that PyJWT verifies signatures with.",
                hint="Name those that your issuer signs with, such as 'RS256'.",
                id="channels_token_auth.E120",
            )
    # This attack is one reason for RFC 8725, section 2.1: a public key is taken for a secret.
    are_hmac = {name.startswith("HS") for name in options.algorithms}
    if len(are_hmac) > 1 or (options.jwks_url and True in are_hmac):
        yield checks.Error(
            "'algorithms' mixes HS… with algorithms that use public keys. Everybody knows a public"
            " key: if it is taken for a secret, everybody can sign tokens.",
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
                hint="HS… needs a secret that is not a PEM; any other algorithm a PEM of its type.",
                id="channels_token_auth.E122",
            )
            continue
        if _is_short(key):
            yield checks.Error(
                f"Key {number} of the JWT backend is too short for {names}: anyone with a token can"
                " find it by trying, and then sign any token.",
                hint="Use 32, 48 or 64 random bytes for HS256, HS384 or HS512, and 2048 bits or"
                " more for RSA.",
                id="channels_token_auth.E123",
            )


def _is_short(key: VerifyingKey) -> bool:
    # The key has to be long enough for each algorithm that it is used with.
    least = max(LEAST_BITS.get(name, 0) for name in key.algorithms)
    return key.bits is not None and key.bits < least


def _check_key_server(options: JWTOptions, url: str) -> Iterator[checks.CheckMessage]:
    # Only the URL is checked: nothing is fetched, so that these bounds have no effect.
    if problem := Remote(url, timeout=1, max_bytes=1).problem:
        yield checks.Error(
            f"The option 'jwks_url' {problem}. Nothing is fetched from it.",
            hint="Use https. Http is accepted for this very machine only (localhost, 127.0.0.1):"
            " if the key server has no https, put a proxy with https in front of it, or give its"
            " public keys in 'keys'.",
            id="channels_token_auth.E124",
        )
    if options.issuer is None:
        yield checks.Warning(
            "The JWT backend has a 'jwks_url' and no 'issuer': a key server may sign for several"
            " issuers.",
            hint="Set 'issuer' to the value of the claim 'iss' in your tokens.",
            id="channels_token_auth.W121",
        )


def _check_claims(options: JWTOptions) -> Iterator[checks.CheckMessage]:
    is_providers = bool(options.jwks_url or options.issuer)
    if options.audience is None and not options.names_client and is_providers:
        yield checks.Warning(
            "The JWT backend has no 'audience': tokens without 'aud' are accepted, whichever"
            " service they were issued for, and tokens with 'aud' are refused.",
            hint="Set 'audience' to the value that names this site in the claim 'aud'. If your"
            " issuer sets no 'aud', require the client: 'required_claims': {'client_id': '…'}.",
            id="channels_token_auth.W120",
        )
    if is_providers and not options.distinguishes_types:
        yield checks.Warning(
            "The JWT backend accepts every kind of token that its issuer signs: nothing separates"
            " an access token from an ID token, which is meant for the client only.",
            hint="Set 'profile': 'at+jwt' if your issuer follows RFC 9068; else 'typ', 'token_type'"
            " or a value in 'required_claims' that only access tokens have.",
            id="channels_token_auth.W123",
        )
    if options.allow_machines and options.user is None:
        yield checks.Warning(
            "The JWT backend's 'allow_machines' is True: a client whose id equals a user's"
            f" {options.user_field or 'login name'} is admitted as that user.",
            hint="Name a function in 'user' that returns the users of machines, or leave"
            " 'allow_machines' out.",
            id="channels_token_auth.W124",
        )
    if not options.require_exp:
        yield checks.Warning(
            "The JWT backend's 'require_exp' is False: a token without 'exp' is valid for ever.",
            hint="Have the issuer set 'exp', or at least set MAX_CONNECTION_AGE.",
            id="channels_token_auth.W122",
        )
