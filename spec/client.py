"""A client as an object without I/O, from PROTOCOL.md alone: events go in, actions come out.

The events, states and actions are those of vectors/client.json, which tests it. It reauthenticates
on `auth.expiring`. It does not ask `check/`, sends no pings and does not wake up: all optional.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from spec.messages import APPLICATION, entry_of, is_token, read, refusal, slug_of
from spec.open_socket import OpenSocket
from spec.retries import Retries

__all__ = ["Client"]

PROTOCOL = "token-auth.v1"
PATIENCE = 15  # seconds for any answer
SETTLED = 10  # seconds after which an authenticated socket is a success


class Client:
    """One client. Set `now`, call the method of an event, and carry out `actions`."""

    def __init__(
        self, location: str, protocols: Iterable[str], backoff: Callable[[int], float]
    ) -> None:
        self.state, self.now = "closed", 0.0
        self.actions: list[list[Any]] = []
        self._location, self._protocols = location, list(protocols)
        self._retries = Retries(backoff)
        self._due: float | None = None  # the end of the state
        self._why, self._asked = "open", ""  # why the next question is asked; and the running one
        self._token, self._was_ever_in = "", False
        self._entry, self._slug = "", ""  # the offered token; the last auth.error
        self._socket = OpenSocket(has_messages=False, now=0)

    def start(self) -> None:
        self._enter("token", PATIENCE)
        self._ask(self._why)

    def _ask(self, why: str) -> None:
        if not self._asked:  # never two at once
            self._asked = why
            self._do("get_token", why)

    def token(self, token: str | None) -> None:
        asked, self._asked = self._asked, ""
        if self.state == "authenticated":
            self._socket.answered()
            if token and is_token(token):
                self._present(token)
        elif self.state == "token":
            if self._retries.is_old(token) and asked != self._why:  # it answers an earlier question
                self._ask(self._why)
            else:
                self._use(token)

    def token_failed(self) -> None:
        self._asked = ""
        if self.state == "token":
            self._fail(1006, "get_token_failed")
        elif self.state == "authenticated":
            self._socket.renew_later(self.now + self._retries.delay(self.now))

    def _use(self, token: str | None) -> None:
        rejected = self._retries.rejected
        if token is None:
            self._end(*(rejected[1:] if rejected else (4401, "token_missing")))
        elif token and not is_token(token):
            self._end(4400, "get_token_invalid")
        elif rejected and token == rejected[0]:
            self._end(*rejected[1:])
        else:
            self._token = token
            self._why = "reconnect" if self._was_ever_in else "open"
            if self._location == "ticket":
                self._enter("ticket", PATIENCE)
                self._do("get_ticket", token)
            else:
                self.ticket(None)

    def ticket(self, ticket: str | None) -> None:
        self._enter("connecting", PATIENCE)
        self._slug = ""
        self._entry = entry_of(self._token) if self._location == "subprotocol" else ""
        offer = [PROTOCOL, *self._protocols, self._entry]
        self._do("connect", [entry for entry in offer if entry], ticket)

    def refused(self, answer: Mapping[str, Any]) -> None:
        """A ticket was refused, or the handshake was denied over HTTP."""
        self._retries.defer(self.now + answer.get("retry_after", 0))
        self._fail(*refusal(answer, is_ticket=self.state == "ticket"))

    def opened(self, protocol: str) -> None:
        if self._entry and protocol == self._entry:
            self._leave(4400, "protocol_violated")
            return
        self._socket = OpenSocket(has_messages=protocol == PROTOCOL, now=self.now)
        if self._socket.has_messages:
            self._enter("authenticating", PATIENCE)
        else:
            self._let_in()

    def _let_in(self) -> None:
        self._enter("authenticated")
        self._socket.since = self.now
        self._was_ever_in, self._why = True, "reconnect"
        self._do("open")

    def frame(self, data: str | bytes) -> None:
        self._socket.received()
        is_early = self.state == "authenticating"
        message = read(data) if self._socket.has_messages else APPLICATION
        if message is APPLICATION and not is_early:
            self._do("message")
        elif message is None or self.state == "closing":
            return
        elif is_early and message.get("type") not in {"auth.required", "auth.error", "auth.ok"}:
            self._leave(4400, "protocol_violated")
        else:
            self._read(message, is_early=is_early)

    def _read(self, message: Mapping[str, Any], *, is_early: bool) -> None:
        match message["type"]:
            case "auth.required" if is_early and self._socket.presented is None:
                self._required()
            case "auth.ok":
                self._admitted(message["expires_in"], message["user_id"], is_early=is_early)
            case "auth.error":
                self._error(message["code"], message["retry_after"] or 0, retry=message["retry"])
            case "auth.expiring":
                # Not before the server allows another `auth`.
                at = max(self.now, self._retries.not_before)
                self._socket.expiring(message["expires_in"], self.now, at)
                self.tick()

    def _required(self) -> None:
        if self._token:
            self._enter("authenticating", PATIENCE)
            self._present(self._token)
        else:
            self._leave(4401, "token_missing")

    def _present(self, token: str) -> None:
        self._socket.present(token, self.now)
        self._do("send", {"type": "auth", "token": token})

    def _admitted(self, left: int | None, user_id: str | None, *, is_early: bool) -> None:
        self._token = self._socket.presented or self._token
        self._retries.admitted()
        self._socket.admitted(left, self.now)
        if is_early:
            self._let_in()
        self._do("authenticated", left, user_id)

    def _error(self, slug: str, retry_after: int, *, retry: bool) -> None:
        self._slug = slug
        self._retries.defer(self.now + retry_after, replaces=True)
        is_answer = self.state == "authenticated" and self._socket.presented is not None
        if is_answer and slug in {"unavailable", "rate_limited"}:  # otherwise the close follows
            self._socket.auth_answered()
            if retry:
                self._socket.renew_later(self.now + self._retries.delay(self.now))

    def tick(self) -> None:
        if self.state == "authenticated":
            self._tick_open()
        elif self._due is None or self.now < self._due:
            return
        elif self.state == "waiting":
            self.start()
        elif self.state == "closing":
            self._end(1006, None)
        else:
            self._no_answer()

    def _no_answer(self) -> None:
        self._do("drop")
        self._fail(1006, "no_answer")

    def _tick_open(self) -> None:
        if self.now >= self._socket.answer_by:
            self._no_answer()
            return
        if self._socket.has_asked_for_too_long(self.now):
            self._socket.renew_later(self.now + self._retries.delay(self.now))
        if self._socket.starts_to_renew(self.now):
            self._ask("expiring")

    def closed(self, given: Mapping[str, Any]) -> None:
        if self.state == "closing":
            self._end(given["code"], None)
        else:
            self._fail(
                given["code"], slug_of(given["code"], self._slug, given["reason"]) or "closed"
            )

    def _fail(self, code: int, why: str) -> None:
        """There is no socket, or no longer: stop, wait, or try again at once."""
        is_open = self.state == "authenticated"
        has_settled = is_open and self.now >= self._socket.since + SETTLED
        was_in = is_open and (self._socket.has_messages or has_settled)
        if has_settled:
            self._retries.settled()
        follows = self._retries.next(self._token, code, why, was_in=was_in)
        if follows == "end":
            self._end(code, why)
        elif follows == "back_off":
            self._wait(why)
        else:
            # An auth without an answer may have another token: it is tried first.
            is_tried = follows == "rejected" and is_open and self._socket.presented
            self._at_once(follows, why, self._socket.presented if is_tried else None)

    def _at_once(self, follows: str, why: str, other: str | None) -> None:
        self._why = follows
        if not self._retries.may_be_at_once(self.now):
            self._wait(why)
            return
        self._enter("token", PATIENCE)
        if other is None:
            self._ask(self._why)
        else:
            self._use(other)
        if self.state != "closed":
            self._do("reconnecting", 0, why)

    def _wait(self, why: str) -> None:
        seconds = self._retries.delay(self.now)
        self._enter("waiting", seconds)
        self._do("reconnecting", seconds, why)

    def close(self, given: Mapping[str, Any] | None = None) -> None:
        if self.state == "authenticated":
            self._enter("closing", PATIENCE)
        elif self.state not in {"closing", "closed"}:
            self._leave(given["code"] if given else 1005, None)

    def _leave(self, code: int, why: str | None) -> None:
        self._do("drop")
        self._end(code, why)

    def _end(self, code: int, why: str | None) -> None:
        self._enter("closed")
        self._do("end", code, why)

    def _enter(self, state: str, seconds: float | None = None) -> None:
        self.state = state
        self._due = None if seconds is None else self.now + seconds

    def _do(self, *action: object) -> None:
        self.actions.append(list(action))
