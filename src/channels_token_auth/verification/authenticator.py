"""From a credential to an identity: the backends in order, in batches, within a deadline."""

import asyncio
import logging
import traceback
from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connections
from django.utils.module_loading import import_string

from ..backends.base import Identity, TokenBackend, Verdict, unavailable
from ..conf import BackendSpec, Configuration
from ..core.close_codes import Code
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from .tickets import CacheUnavailable, Tickets
from .worker import worker

__all__ = ["Authenticator", "build_authenticator", "build_backend"]

# What says that a store is away, and nothing about one credential.
_AWAY = (OperationalError, InterfaceError, CacheUnavailable)

logger = logging.getLogger("channels_token_auth")


def build_backend(spec: BackendSpec) -> TokenBackend:
    """The backend of a settings entry. Raises ImproperlyConfigured where there is none."""
    try:
        backend: TokenBackend = import_string(spec.path)(**spec.options)
    except (ImportError, TypeError) as error:
        sentence = f"The token backend {spec.path!r} cannot be used: {error}"
        raise ImproperlyConfigured(sentence) from error
    return backend


def build_authenticator(configuration: Configuration) -> "Authenticator":
    """The authenticator of a route, or of the site."""
    backends = [build_backend(spec) for spec in configuration.backends]
    return Authenticator(backends, timeout=configuration.verify_timeout, cache=configuration.cache)


class Authenticator:
    """Asks the backends of one route, and redeems tickets.

    `timeout`: seconds one verification may take. `cache`: the alias of the tickets' cache.
    """

    def __init__(
        self, backends: Sequence[TokenBackend], *, timeout: float, cache: str = "default"
    ) -> None:
        self.tickets = Tickets(backends, cache=cache)
        self._backends: tuple[TokenBackend | Tickets, ...] = (self.tickets, *backends)
        self._timeout = timeout
        self.schemes = frozenset[str]().union(*(backend.schemes for backend in self._backends))

    async def authenticate(self, credential: Credential) -> Identity:
        """Whose credential it is. Raises TokenAuthError, and nothing else."""
        try:
            async with asyncio.timeout(self._timeout):
                verdict: Identity | TokenAuthError = await worker.ask(self.judge, credential)
        except TimeoutError:
            # No traceback: its frames hold nothing but us, waiting.
            logger.error("A token took over %s s to verify.", self._timeout)  # noqa: TRY400
            # Half of it, since the batch began later than we did.
            worker.relieve(after=self._timeout / 2)
            verdict = unavailable()
        if isinstance(verdict, TokenAuthError):
            raise verdict
        return verdict

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
