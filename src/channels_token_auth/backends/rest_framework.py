"""Any token that a class of Django REST framework's `authentication_classes` understands.

The classes are asked as a view asks them, with a request that has an `Authorization` header and
nothing else: no body, session or address. What they query and write is their own affair.
"""

import copy
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest
from django.utils.functional import LazyObject
from django.utils.module_loading import import_string
from rest_framework.authentication import (
    BasicAuthentication,
    RemoteUserAuthentication,
    SessionAuthentication,
)
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from ..core.authentication import Authentication
from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import TokenAuthError
from ..core.identity import RETRY_AFTER, Grant, Identity, Verdict, unavailable
from .base import BaseTokenBackend
from .contract import Authority, Revocations
from .site import Site
from .sources.managers import package_users
from .sources.request_auth import moment, text
from .sources.revalidation import revalidate_presented
from .sources.users import admit
from .sources.users_by_key import UsersByKey

__all__ = ["RESTFrameworkBackend"]

# Read no token out of the header: a cookie, a proxy's word, a password.
_WITHOUT_TOKENS = (BasicAuthentication, RemoteUserAuthentication, SessionAuthentication)


class RESTFrameworkBackend(BaseTokenBackend):
    """Accepts what these classes accept, asked in order; dotted paths, as in a view.

    `token_id` is the `jti` of what a class gives as `request.auth`, else the token's digest.
    `recheck`: whether sockets keep their tokens, so that the classes are asked about them again.
    """

    revocations = Revocations.STORE
    authority = Authority.VIEWS
    extra = "drf"

    def __init__(
        self,
        *,
        authentication_classes: Sequence[str],
        recheck: bool = True,
        name: str = "rest_framework",
    ) -> None:
        super().__init__(name=name)
        self._is_asked_again = recheck
        self._paths = authentication_classes
        self._users_by_key = UsersByKey(package_users)

    @cached_property
    def schemes(self) -> frozenset[str]:  # type: ignore[override] # a cached property is writable
        """Those that the classes announce."""
        return frozenset(keyword.lower() for keyword, _ in self._classes)

    def recognizes(self, credential: Credential) -> bool:
        """Any token, in a header under a scheme that a class announces."""
        return credential.scheme is None or credential.scheme in self.schemes

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """One after the other, with the queries that the classes make for each."""
        return [self._verdict(credential) for credential in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """As `authenticate`, one after the other. Of sockets that came by a ticket, or where
        `recheck` is off, one query for their users.
        """
        return revalidate_presented(grants, self.authenticate, self._users_by_key)

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """The classes must be there and read tokens; their sockets need an age."""
        return [*_check_classes(self._paths), *_check_age(site)]

    @cached_property
    def _classes(self) -> Sequence[tuple[str, Any]]:
        """Each class with the scheme it announces, in its own spelling."""
        classes = [import_string(path) for path in self._paths]
        return [(_keyword(each), each) for each in classes]

    def _verdict(self, credential: Credential) -> Verdict:
        """Without a scheme: what the client gets by the best that it could have chosen."""
        schemes = [credential.scheme] if credential.scheme else sorted(self.schemes)
        verdicts = [self._ask(scheme, credential) for scheme in schemes]
        return min(verdicts, key=_rank)

    def _ask(self, scheme: str, credential: Credential) -> Verdict:
        """The first class that knows the token decides, as in a view."""
        for keyword, authentication_class in self._classes:
            if keyword.lower() == scheme:
                try:
                    found = authentication_class().authenticate(_presenting(credential, keyword))
                except APIException as error:
                    return _refusal(error)
                except RecursionError:  # over a text that nests deeply, as older JWT packages do
                    return TokenAuthError(CloseReason.TOKEN_INVALID)
                if found is not None:
                    return self._identity(credential, *found)
        return None

    def _identity(self, credential: Credential, user: Any, auth: Any) -> Verdict:
        try:
            user = _concrete(user)
        except ObjectDoesNotExist:
            user = None
        if not getattr(user, "is_authenticated", False):
            return TokenAuthError(CloseReason.TOKEN_INVALID)  # good, but nobody's: an API key's
        if not isinstance(user, get_user_model()):
            raise TypeError(f"{type(user).__name__} is no {get_user_model().__name__}")
        authentication = Authentication(
            backend=self.name,
            token_id=text(auth, "jti") or credential.secret.digest,
            location=credential.location,
            scopes=frozenset(text(auth, "scope").split()),  # RFC 8693 §4.2
            issued_at=moment(auth, "iat"),
            expires_at=moment(auth, "exp"),
        )
        return admit(user, authentication, handle=credential if self._is_asked_again else None)


def _rank(verdict: Verdict) -> int:
    """Accepted; not known, since a store is away; refused; unknown."""
    if isinstance(verdict, Identity):
        return 0
    if verdict is None:
        return 3
    return 1 if verdict.code is CloseReason.UNAVAILABLE else 2


def _keyword(authentication_class: Any) -> str:
    """The scheme of its challenge (RFC 9110 §11.6.1); of a class that has none, its `keyword`."""
    challenge = authentication_class().authenticate_header(_request())
    keyword: str = challenge or getattr(authentication_class, "keyword", "") or "Bearer"
    return keyword.split(maxsplit=1)[0]


def _request(**headers: str) -> Any:
    request = HttpRequest()
    request.method = "GET"
    # Some classes want to know the URL, and Django wants an allowed host in it.
    hosts = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    request.META = {"SERVER_NAME": next(iter(hosts), "localhost"), "SERVER_PORT": "80", **headers}
    return Request(request)


def _presenting(credential: Credential, keyword: str) -> Any:
    # Bytes as Latin-1, as WSGI has them (PEP 3333).
    token = credential.secret.reveal().encode().decode("latin-1")
    return _request(HTTP_AUTHORIZATION=f"{keyword} {token}")


def _refusal(error: APIException) -> TokenAuthError:
    if isinstance(error, Throttled):
        return TokenAuthError(CloseReason.RATE_LIMITED, error.wait or RETRY_AFTER)
    if error.status_code >= 500:
        return unavailable()
    if error.status_code == 403:
        return TokenAuthError(CloseReason.FORBIDDEN)
    detail: Any = error.detail
    # A dictionary is simplejwt's, which says it in words of its own.
    code = detail.get("code") if isinstance(detail, dict) else getattr(detail, "code", None)
    return TokenAuthError(
        CloseReason.USER_INACTIVE if code == "user_inactive" else CloseReason.TOKEN_INVALID
    )


def _concrete(user: Any) -> Any:
    """A lazy user, loaded here, where queries may be made."""
    if isinstance(user, LazyObject):
        bool(user)
        return copy.copy(user)
    return user


def _check_classes(paths: Any) -> Iterator[checks.CheckMessage]:
    if not isinstance(paths, list | tuple) or not paths:
        yield checks.Error(
            "The option 'authentication_classes' is no list of dotted paths.",
            hint="Give the classes as in a view, each by its path.",
            id="channels_token_auth.E150",
        )
        return
    for path in paths:
        try:
            found: Any = import_string(path)
            _keyword(found)
        except Exception as error:  # noqa: BLE001 - whatever a class raises
            yield checks.Error(
                f"The authentication class {path!r} cannot be used: {error}",
                hint="Give the dotted path of a class, and install what it needs.",
                id="channels_token_auth.E151",
            )
        else:
            if issubclass(found, _WITHOUT_TOKENS):
                yield checks.Error(
                    f"The authentication class {path!r} reads no token.",
                    hint="Leave it out. For sessions there is the session backend, or a ticket;"
                    " a password is no token.",
                    id="channels_token_auth.E152",
                )


def _check_age(site: Site) -> Iterator[checks.CheckMessage]:
    if site.max_connection_age is None:
        yield checks.Warning(
            "MAX_CONNECTION_AGE is None: a socket that came by a ticket, about whose token the"
            " classes are not asked again, outlives one that ends before its time.",
            hint="Set it to the seconds that a revoked token may go on.",
            id="channels_token_auth.W150",
        )
