"""From a credential to an identity: the backends in order, in batches, within a deadline."""

import asyncio
import logging
import traceback
from collections.abc import Hashable, Sequence
from functools import partial
from typing import cast
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connections
from django.utils.module_loading import import_string

from ..backends.base import Identity, TokenBackend, Verdict, unavailable
from ..backends.users import private_copy
from ..conf import BackendSpec, Configuration
from ..core.close_codes import Code
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from .flights import Flight, Flights
from .scoped import ScopedBackend
from .tickets import CacheUnavailable, Tickets
from .verified import VerifiedTokens
from .worker import worker

__all__ = ["Authenticator", "build_authenticator", "build_backend"]

# What says that a store is away, and nothing about one credential.
_AWAY = (OperationalError, InterfaceError, CacheUnavailable)

logger = logging.getLogger("channels_token_auth")


def build_backend(spec: BackendSpec) -> TokenBackend:
    """The backend of a settings entry. Raises ImproperlyConfigured where there is none."""
    try:
        backend = import_string(spec.path)(**spec.options)
        if spec.scopes is not None:
            backend = ScopedBackend(backend, import_string(spec.scopes))
    except (ImportError, TypeError) as error:
        sentence = f"The token backend {spec.path!r} cannot be used: {error}"
        raise ImproperlyConfigured(sentence) from error
    return cast("TokenBackend", backend)


def build_authenticator(configuration: Configuration) -> "Authenticator":
    """The authenticator of a route, or of the site."""
    return Authenticator(
        [build_backend(spec) for spec in configuration.backends],
        timeout=configuration.verify_timeout,
        remembers=configuration.verified_cache_seconds,
        cache=configuration.cache,
    )


class Authenticator:
    """Asks the backends of one route, and redeems tickets.

    `timeout`: seconds one verification may take. `remembers`: seconds in which a verdict stays
    good. `cache`: the alias of the tickets' cache.
    """

    def __init__(
        self,
        backends: Sequence[TokenBackend],
        *,
        timeout: float,
        remembers: float = 0.0,
        cache: str = "default",
    ) -> None:
        self.tickets = Tickets(backends, cache=cache)
        self.verified = VerifiedTokens(remembers)
        self._backends: tuple[TokenBackend | Tickets, ...] = (self.tickets, *backends)
        self._timeout = timeout
        self._flights: WeakKeyDictionary[asyncio.AbstractEventLoop, Flights] = WeakKeyDictionary()
        self.schemes = frozenset[str]().union(*(backend.schemes for backend in self._backends))

    async def authenticate(self, credential: Credential) -> Identity:
        """Whose credential it is, with a user of the caller's own. Raises TokenAuthError only."""
        key = self.verified.key(credential)
        verdict = self.verified.get(key) or await self._verify(key, credential)
        if isinstance(verdict, TokenAuthError):
            # Others are told the same: an exception that is raised keeps what it passed.
            raise TokenAuthError(verdict.code, verdict.retry_after)
        # Field by field: `replace` takes three times as long, and each handshake pays it.
        user, of_it = private_copy(verdict.user), verdict.authentication
        return Identity(user=user, authentication=of_it, handle=verdict.handle)

    async def _verify(self, key: Hashable, credential: Credential) -> Identity | TokenAuthError:
        if hasattr(mail, "outbox"):
            return await self._verify_in_test(credential)
        flights = self._flights_of_loop()
        generation = self.verified.generation

        def land(flight: Flight, verdict: Identity | TokenAuthError) -> None:
            self.verified.put(key, verdict, generation=generation)
            flights.land(key, flight, verdict)

        verdict: Identity | TokenAuthError = await flights.join(
            key, lambda flight: worker.ask(self.judge, credential, partial(land, flight))
        )
        return verdict

    async def _verify_in_test(self, credential: Credential) -> Identity | TokenAuthError:
        """Under a test runner the thread that holds the test's transaction has to ask; and nothing
        is remembered, since the next test's database is another one.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return (await sync_to_async(self.judge, thread_sensitive=True)([credential]))[0]
        except TimeoutError:
            return self._give_up()

    def _flights_of_loop(self) -> Flights:
        loop = asyncio.get_running_loop()
        if loop not in self._flights:
            self._flights[loop] = Flights(self._timeout, self._give_up)
        return self._flights[loop]

    def _give_up(self) -> TokenAuthError:
        logger.error("A token took over %s s to verify.", self._timeout)
        # Half of it, since the batch began later than the one who waits.
        worker.relieve(after=self._timeout / 2)
        return unavailable()

    def judge(self, credentials: Sequence[Credential]) -> Sequence[Identity | TokenAuthError]:
        """The verdict on each. Runs in the worker's thread, and raises nothing."""
        verdicts: list[Verdict] = [None] * len(credentials)
        for backend in self._backends:
            unknown = [i for i, verdict in enumerate(verdicts) if verdict is None]
            answers = _ask(backend, [credentials[i] for i in unknown])
            for i, answer in zip(unknown, answers, strict=True):
                verdicts[i] = answer
        return [verdict or TokenAuthError(Code.TOKEN_INVALID) for verdict in verdicts]


def _ask(backend: TokenBackend | Tickets, credentials: Sequence[Credential]) -> Sequence[Verdict]:
    """Consult a backend that may fail: a store that is away says nothing about a token."""
    try:
        return _consult(backend, credentials)
    except Exception:  # noqa: BLE001 - whatever a backend or its store raises
        # The store may have been restarted since: once more, on connections of today.
        _close_connections()
    try:
        return _consult(backend, credentials)
    except Exception as error:  # noqa: BLE001 - the same, again
        if len(credentials) == 1 or isinstance(error, _AWAY):
            _report(error, credentials)
            return [unavailable() for _ in credentials]
    # One credential that a backend chokes on must not cost the others of its batch.
    return [verdict for each in credentials for verdict in _ask(backend, [each])]


def _consult(
    backend: TokenBackend | Tickets, credentials: Sequence[Credential]
) -> Sequence[Verdict]:
    """The backend's verdicts, None for what it does not claim."""
    claimed = [backend.claims(credential) for credential in credentials]
    mine = [c for c, is_mine in zip(credentials, claimed, strict=True) if is_mine]
    answers = list(backend.authenticate(mine)) if mine else []
    if len(answers) != len(mine):
        raise TypeError(f"{type(backend).__name__} gave {len(answers)} verdicts on {len(mine)}")
    return [answers.pop(0) if is_mine else None for is_mine in claimed]


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def _report(error: Exception, credentials: Sequence[Credential]) -> None:
    """Log what failed as text: an error reporter would read tokens in the frames' locals."""
    text = "".join(traceback.format_exception(error))
    for credential in credentials:
        text = text.replace(credential.secret.reveal(), repr(credential.secret))
    logger.error("A token could not be verified: answered unavailable.\n%s", text)
