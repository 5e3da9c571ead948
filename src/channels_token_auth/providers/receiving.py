"""Receive a provider's token: verify it, accept it once, and act on its events."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..conf import Configuration, derived
from ..conf.identity_providers import ProviderEndpoint
from ..core.close_codes import CloseReason
from ..core.errors import TokenAuthError
from ..core.identity import unavailable
from ..observability.error_log import log_error
from ..revocation.carry_out import attempt_all
from .actions import carry_out
from .provider import Provider
from .rejection import unsigned
from .replays import once
from .subjects import Claims
from .tokens import (
    LEEWAY,
    LOGOUT_TOKEN,
    REVOCATION_REQUEST,
    SECURITY_EVENT_TOKEN,
    Notice,
    check_times,
)

__all__ = ["MAX_TOKEN", "Received", "providers_at", "receive"]

MAX_TOKEN = 16 * 1024
"""The maximal length of a token, in characters. Logout tokens have under 2,000."""

KINDS = {
    ProviderEndpoint.BACKCHANNEL_LOGOUT: LOGOUT_TOKEN,
    ProviderEndpoint.SECURITY_EVENTS: SECURITY_EVENT_TOKEN,
    ProviderEndpoint.GLOBAL_TOKEN_REVOCATION: REVOCATION_REQUEST,
}

Read = Callable[[Provider, Claims], Sequence[Notice]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The result for one token.

    `is_replay`: the token was acted on before, so that nothing was done now. `is_known`: False if
    this site has none of the users that the token names.
    """

    is_replay: bool = False
    is_known: bool = True


def _build(configuration: Configuration) -> tuple[Provider, ...]:
    return tuple(map(Provider, configuration.identity_providers))


_providers = derived(_build)


def providers_at(endpoint: ProviderEndpoint) -> list[Provider]:
    """Return the providers that may use an endpoint."""
    return [each for each in _providers() if endpoint in each.settings.endpoints]


def receive(raw: str, endpoint: ProviderEndpoint, read: Read) -> Received:
    """Act on a token once. `read` returns the notices in its claims, or raises Rejected.

    Raises TokenAuthError: `Rejected` or another refusal if the token revokes nothing, "unavailable"
    if the provider has to send it again.
    """
    kind = KINDS[endpoint]
    provider, claims = _verified(raw, endpoint)
    now = time.time()
    check_times(claims, kind, now=now)
    notices = read(provider, claims)
    ends_at = claims["iat"] + kind.max_age
    # A `jti` is remembered for as long as `check_times` would accept the token, on clocks that
    # differ by the leeway in either direction.
    seconds = max(min(ends_at, claims.get("exp") or ends_at) - now, 0) + 2 * LEEWAY
    with once(provider.settings.issuer, kind.typ, claims["jti"], seconds=seconds) as is_new:
        if not is_new:
            return Received(is_replay=True)
        try:
            found = attempt_all(partial(carry_out, each, provider) for each in notices)
        except TokenAuthError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a database or a token store raises
            log_error("A provider's request could not be carried out: answered 503.", error)
            raise unavailable() from None
    return Received(is_known=all(found))


def _verified(raw: str, endpoint: ProviderEndpoint) -> tuple[Provider, Claims]:
    """Return the provider that signed the token, and its claims. Raises TokenAuthError."""
    if not raw or len(raw) > MAX_TOKEN or not raw.isascii():
        raise unsigned("not_a_jwt", "The request has no token, or its token is not a signed JWT.")
    refusals = []
    for provider in providers_at(endpoint):
        try:
            return provider, provider.verify(raw, KINDS[endpoint])
        except TokenAuthError as error:
            refusals.append(error)
    raise max(refusals, key=_relevance)


def _relevance(error: TokenAuthError) -> int:
    """Return how well a refusal explains the rejection, when several providers were tried.

    Best is that of the provider that signed the token, or may have signed it.
    """
    if error.code is CloseReason.UNAVAILABLE:
        return 3
    slug = error.detail.slug if error.detail else ""
    return {"wrong_issuer": 0, "not_a_jwt": 1, "wrong_algorithm": 1, "unknown_key": 1}.get(slug, 2)
