"""Check the identity providers: their keys, users and backends, and the cache against replays."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import conf
from ..conf.identity_providers import ProviderEndpoint
from ..providers.actions import can_end_sessions
from ..providers.provider import Provider
from ..providers.tokens import LOGOUT_TOKEN
from .backends import buildable_backends
from .caches import HINT, UNSHARED

__all__ = ["providers"]

OF_KEYS = "channels_token_auth.backends.jwt.checks.check_options"

ABOUT_KEYS = ("E120", "E121", "E122", "E123", "E124")
"""Messages about algorithms, keys and the key server. The others concern access tokens only."""


def providers() -> Iterator[checks.CheckMessage]:
    """Report identity providers whose requests would revoke nothing, or could be forged."""
    found = conf.configuration().identity_providers
    for number, entry in enumerate(found):
        provider, place = Provider(entry), f"IDENTITY_PROVIDERS[{number}]"
        yield from _check_backends(provider, place)
        yield from _check_keys(provider, place)
        yield from provider.users.check("E022", "W020")
    if found:
        yield from _check_cache()


def _check_backends(provider: Provider, place: str) -> Iterator[checks.CheckMessage]:
    backends = {each.name: each for each in buildable_backends()}
    wanted = provider.settings.backends
    for unknown in sorted(set(wanted) - backends.keys()):
        yield checks.Error(
            f"{place} names the backend {unknown!r}, but no entry of BACKENDS has this name.",
            hint=f"Use one of these names: {', '.join(backends)}.",
            id="channels_token_auth.E009",
        )
    known = [backends[name] for name in wanted if name in backends]
    is_logout = ProviderEndpoint.BACKCHANNEL_LOGOUT in provider.settings.endpoints
    # OpenID Connect Back-Channel Logout 1.0, section 2.4: a logout token names a session ('sid'), a
    # user ('sub'), or both.
    if is_logout and known and not any(map(can_end_sessions, known)):
        yield checks.Error(
            f"{place} receives logouts of single sessions ('sid'), and none of its BACKENDS labels"
            " tokens by session: such a logout would end nothing, or all tokens of the user.",
            hint="Name a backend whose tokens have the claim 'sid': 'jwt', 'simplejwt' or"
            " 'introspection'.",
            id="channels_token_auth.E021",
        )
    if is_logout:
        yield from _check_issuers(provider, known, place)
    yield from _check_users(provider, known, place)


def _check_issuers(
    provider: Provider, backends: Sequence[Any], place: str
) -> Iterator[checks.CheckMessage]:
    """Warn about tokens of other issuers: a session id belongs to its issuer."""
    accepted = [getattr(each, "issuers", ()) for each in backends]  # empty: any issuer
    issuers = sorted({issuer for each in accepted for issuer in each})
    # One backend that accepts any issuer is enough: the provider's tokens may be among its own.
    if issuers and all(accepted) and provider.settings.issuer not in issuers:
        yield checks.Warning(
            f"{place} has the ISSUER {provider.settings.issuer!r}, and its BACKENDS accept tokens"
            f" of {issuers} only: a logout of one session would end nothing.",
            hint="Copy ISSUER from the claim 'iss' of its tokens, to the letter. If access tokens"
            " have another issuer, its logouts must name the user only.",
            id="channels_token_auth.W021",
        )


def _check_users(
    provider: Provider, backends: Sequence[Any], place: str
) -> Iterator[checks.CheckMessage]:
    """Warn if the provider and a backend look up the same claim in different fields of the user."""
    for each in backends:
        users = getattr(each, "claimed_users", None)
        if users is not None and users.contradicts(provider.users):
            yield checks.Warning(
                f"{place} and the backend {each.name!r} look for the same claim in different fields"
                " of the user: reports of the provider would find no user, or a wrong one.",
                hint="Give USER_FIELD the value of the backend's option 'user_field'.",
                id="channels_token_auth.W022",
            )


def _check_keys(provider: Provider, place: str) -> Iterator[checks.CheckMessage]:
    try:
        options = provider.options(LOGOUT_TOKEN)
    except ImproperlyConfigured as error:
        yield checks.Error(
            str(error),
            hint="Correct the entry. If PyJWT is missing, install the extra 'jwt'.",
            id="channels_token_auth.E020",
        )
        return
    # PyJWT is optional, so that its module is imported only here, where it is installed.
    for message in import_string(OF_KEYS)(options):
        if message.id.endswith(ABOUT_KEYS):
            message.msg = f"{place}: {message.msg}"
            yield message


def _check_cache() -> Iterator[checks.CheckMessage]:
    alias = conf.configuration().cache
    if alias in settings.CACHES and settings.CACHES[alias]["BACKEND"] in UNSHARED:
        # The cache has the `jti` of each accepted token, so that it is accepted once.
        level = checks.Info if settings.DEBUG else checks.Error
        yield level(
            f"CACHE is {alias!r}, which no other process sees: with several processes, a token of"
            " an identity provider that one process accepted can be replayed at the others.",
            hint=f"{HINT}, which all processes share.",
            id="channels_token_auth.E023",
        )
