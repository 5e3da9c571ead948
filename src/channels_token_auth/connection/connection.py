"""Give one socket its identity: the user it is admitted for, the token, and tokens sent later.

`opening` handles its handshake, `application` connects it to the application, and `ending` cleans
up after it.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..clock import clock, lifetime
from ..core.asgi_types import Message, Scope
from ..core.close_codes import CloseReason
from ..core.credentials import Credential, Location, Secret
from ..core.errors import Detail, TokenAuthError
from ..core.handshake.correlation import read_correlation
from ..core.handshake.extraction import ANSWERED, Handshake
from ..core.identity import Identity, UserKey, unavailable
from ..core.lifecycle import Close, Output, State
from ..core.live_authentication import LiveAuthentication, refresh_user
from ..node.node import Node
from ..observability.error_log import log_error
from ..observability.events import (
    AnonymousAdmitted,
    ConnectionAuthenticated,
    ConnectionReauthenticated,
    ReauthenticationRefused,
    emit_soon,
)
from ..verification.route import Route
from .asgi_scope import inner_scope
from .socket import Socket
from .transport import Transport

__all__ = ["Connection", "failed"]

# Looked up for every socket: before Python 3.12 an enum's attribute costs ten times as much.
_AUTHENTICATED = State.AUTHENTICATED

LIMITED = frozenset({CloseReason.RATE_LIMITED, CloseReason.CONNECTION_LIMIT})


class Connection(Socket):
    """A socket that authenticates."""

    __slots__ = ("_tenant", "limit_detail", "refusal_reason", "refused_credential")

    def __init__(
        self, node: Node, route: Route, handshake: Handshake, scope: Scope, transport: Transport
    ) -> None:
        super().__init__(node, route, handshake, scope, transport)
        if handshake.is_correlated:
            credential = handshake.credential
            secret = credential.secret.reveal() if credential else None
            self.correlation = read_correlation(handshake.headers, secret=secret)
        self._tenant: str | None = None
        self.refusal_reason: TokenAuthError | None = None
        """The reason of the refusal; below, the credential of a first message that caused it."""
        self.refused_credential: Credential | None = None
        self.limit_detail: Detail | None = None
        """The limit that closed it after its admission."""

    @property
    def is_admitted(self) -> bool:
        """True while it has an application and no token is being verified."""
        return self.life.state is _AUTHENTICATED

    @property
    def was_admitted(self) -> bool:
        """True from its first admission on."""
        return self._user is not None

    @property
    def user_id(self) -> str | None:
        """Its user's primary key as text: the same object as in the lifecycle, to save memory."""
        identity = self.life.identity
        return identity.key if type(identity) is UserKey else None

    def end(self, error: TokenAuthError) -> None:
        """Close it, or refuse its handshake. Before the admission, keep the reason for events."""
        if not self.was_admitted:
            self.refusal_reason = self.refusal_reason or error
        super().end(error)

    def shut(self, error: TokenAuthError, last_words: Sequence[Message]) -> None:
        """Close it, or refuse its handshake. Keep the limit that it is over, for events."""
        super().shut(error, last_words)
        # Other reasons with a detail refuse a token, and have an event of their own.
        if error.code in LIMITED:
            self.limit_detail = error.detail

    def leave_place(self) -> None:
        """Make room for another socket that is not authenticated yet."""
        if self.place:
            self.place.leave()
            self.place = None

    def inner_scope(self) -> Scope:
        """Return the scope of its application."""
        return inner_scope(self._scope, self.handshake, user=self._user, auth=self._auth)

    def note_accepted(self) -> None:
        """Note that the application has accepted it: its handshake is not needed any more."""
        self.handshake = ANSWERED
        if self.route.limits_sockets:
            self.node.seats.announce(self)

    def admit_anonymous(self, user: object) -> None:
        """Admit a client without a credential."""
        self.life.admit(None, None, clock.steady())
        if not self.is_admitted:  # closed while its tenant was looked up
            return
        self._user = user
        self.leave_place()
        # Sockets without a user count by their address, as all limits see it.
        address = self.client_address
        if self.route.limits_frames:
            self._begin_to_count(address.group if address else None, clock.steady())
        self.node.let_in(self)
        if AnonymousAdmitted.is_wanted():
            emit_soon(AnonymousAdmitted(connection=self))

    def admit(self, identity: Identity, *, since: int) -> list[Output]:
        """Admit a user, or take over their fresh token.

        Raises TokenAuthError if the token was revoked after the mark `since`, which was taken
        before it was verified.
        """
        revocations = self.node.recent_revocations
        if revocations.mark != since and (code := revocations.since(since, identity)):
            raise TokenAuthError(code)
        user_key = identity.user_key
        if self.route.limits_sockets:
            self.node.seats.check(self, identity, user_key)
        now = clock.steady()
        outputs = self.life.admit(user_key, lifetime(identity), now)
        # Closed during the verification, or a token of another user.
        if self.life.state is not _AUTHENTICATED:
            return outputs
        if self.place is not None:
            self.leave_place()
        self._handle, self._verified_at = identity.handle, identity.verified_at
        if self._auth is None:
            self._user = identity.user
            self._auth = LiveAuthentication(identity.authentication, correlation=self.correlation)
            if self.route.limits_frames:
                self._begin_to_count(user_key, now)
            self.node.let_in(self)  # before the event, whose subscribers may count sockets
            if ConnectionAuthenticated.is_wanted():
                emit_soon(ConnectionAuthenticated(connection=self))
        else:
            self._replace_identity(self._auth, identity)
            self.node.let_in(self)
        if self.route.limits_sockets:
            self.node.seats.take(self, identity, user_key)
        return outputs

    def _begin_to_count(self, who: UserKey | str | None, now: float) -> None:
        self.traffic = self.node.traffic.join(who, self.route.limits, now)
        self.expect_frames(now)

    def _replace_identity(self, auth: LiveAuthentication, identity: Identity) -> None:
        refresh_user(self._user, identity.user)
        # `location` describes the handshake: reauthentications always use a message.
        auth.replace(replace(identity.authentication, location=auth.location))
        self.notify({"type": "auth.reauthenticated"})
        if ConnectionReauthenticated.is_wanted():
            emit_soon(ConnectionReauthenticated(connection=self))

    def follow(self, identity: Identity) -> None:
        """Take over the current scopes and expiry of its token, which a sweep has found."""
        super().follow(identity)
        expires_at = identity.authentication.expires_at
        if self._auth and expires_at != self._auth.expires_at:
            self._auth.replace(replace(self._auth.current, expires_at=expires_at))
            self.act_later(self.life.renew(lifetime(identity), clock.steady()))
            self.watch()

    async def identify(self, credential: Credential) -> Identity:
        """Return the identity of a valid token of the handshake's tenant. Raises TokenAuthError."""
        if self.route.has_tenants:
            credential = replace(credential, tenant=await self.find_tenant())
        return await self.route.verify(credential)

    async def find_tenant(self) -> str | None:
        """Return the key of the handshake's tenant. Raises TokenAuthError if it has none."""
        if self._tenant is None:
            self._tenant = await self.route.tenant_of(self._scope)
        return self._tenant

    async def verify(self, secret: Secret) -> None:
        """Verify a token that came in a message, and act on the verdict."""
        credential = Credential(location=Location.FIRST_MESSAGE, secret=secret)
        # Before the verification: a revocation that arrives during it must refuse this token.
        mark = self.node.recent_revocations.mark
        try:
            self.route.address_limits.check(self.client_address)
            outputs = self.admit(await self.identify(credential), since=mark)
            if outputs and isinstance(outputs[-1], Close):  # the token of another user, perhaps
                self._note_refusal(TokenAuthError(outputs[-1].code), credential)
        except TokenAuthError as error:
            self.note_failure(error.code)
            self._note_refusal(error, credential)
            outputs = self.life.refuse(error, clock.steady())
        except Exception as error:  # noqa: BLE001 - else the socket would never be closed
            outputs = self.life.refuse(failed(error, credential), clock.steady())
        await self.transport.send_all(self.act(outputs))
        # The opening handshake may wait for an event of the client, and must see the verdict.
        self.transport.inbox.wake()

    def note_failure(self, code: CloseReason) -> None:
        """Count that a credential of this client was refused, if the code is one that counts."""
        self.route.address_limits.note_refusal(self.client_address, code)

    def note_violation(self, code: CloseReason) -> None:
        """Count it as a refused credential; and emit it, if the socket was admitted before."""
        self.note_failure(code)
        if self.was_admitted:
            self._note_refusal(TokenAuthError(code), None)

    def _note_refusal(self, error: TokenAuthError, credential: Credential | None) -> None:
        """Keep the reason of a refused first message; emit that of a refused reauthentication."""
        if not self.was_admitted:
            self.refusal_reason, self.refused_credential = error, credential
        elif ReauthenticationRefused.is_wanted():
            detail = self.route.explain(error, self.handshake, credential)
            emit_soon(ReauthenticationRefused(connection=self, code=error.code, detail=detail))


def failed(error: Exception, credential: Credential | None) -> TokenAuthError:
    """Log an unexpected error, and return "unavailable": the token may be valid."""
    message = "A token could not be verified: answered unavailable."
    log_error(message, error, about=[credential], often=True)
    return unavailable()
