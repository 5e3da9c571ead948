"""Accept any token that one of Django REST framework's `authentication_classes` accepts.

The classes are called as in a view, with a request that has only an `Authorization` header: no
body, session or address. They make the same queries and writes as over HTTP.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import checks
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.utils.module_loading import import_string
from rest_framework.authentication import (
    BasicAuthentication,
    RemoteUserAuthentication,
    SessionAuthentication,
)
from rest_framework.exceptions import APIException, Throttled
from rest_framework.request import Request

from ..core.close_codes import CloseReason
from ..core.credentials import Credential
from ..core.errors import Detail, TokenAuthError
from ..core.identity import RETRY_AFTER, Grant, Identity, Verdict, unavailable
from .base import BaseTokenBackend
from .contract import Authority, Revocations
from .site import Site
from .sources.claims import ClaimRules
from .sources.managers import package_users
from .sources.request_auth import read_request_auth
from .sources.revalidation import revalidate_presented
from .sources.site_functions import failed, name_of, refusal_of
from .sources.users import admit, concrete
from .sources.users_by_key import UsersByKey

__all__ = ["RESTFrameworkBackend"]

NOBODYS = Detail(
    slug="unknown_user",
    remedy="The authentication class accepted the token, but returned no user of this site.",
)
REFUSED = Detail(
    slug="class_refused",
    remedy="The authentication class refused the token: see why by the same request over HTTP.",
)

# These classes read a cookie, a proxy's header or a password, but no token.
_WITHOUT_TOKENS = (BasicAuthentication, RemoteUserAuthentication, SessionAuthentication)


class RESTFrameworkBackend(BaseTokenBackend):
    """Accepts what these classes accept, called in order; dotted paths, as in a view.

    `token_id` is the `jti` of the object that a class returns as `request.auth`, or the token's
    digest.
    `revalidate`: whether sockets keep their tokens, so that the classes are asked about them again.
    """

    revocations = Revocations.STORE
    authority = Authority.VIEWS
    extra = "drf"

    def __init__(
        self,
        *,
        authentication_classes: Sequence[str],
        revalidate: bool = True,
        name: str = "rest_framework",
    ) -> None:
        super().__init__(name=name)
        self._keeps_tokens = revalidate
        self._paths = authentication_classes
        self._users_by_key = UsersByKey(package_users)
        self._rules = ClaimRules(backend=self.name, is_dated=False)

    @cached_property
    def schemes(self) -> frozenset[str]:  # type: ignore[override] # a cached property is writable
        """Return the schemes that the classes announce."""
        return frozenset(keyword.lower() for keyword, _ in self._classes)

    @cached_property
    def is_delegated(self) -> bool:  # type: ignore[override] # as above
        """Return True if a class accepts OAuth tokens, which other applications may have."""
        return any(_is_of_oauth(each) for _, each in self._classes)

    def recognizes(self, credential: Credential) -> bool:
        """Recognize any token, in a header under a scheme that a class announces."""
        return super().recognizes(credential)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Verify one token after the other, with the queries that the classes make for each."""
        return [self._verdict(credential) for credential in credentials]

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Verify the tokens again; if `revalidate` is off, check the users with one query."""
        return revalidate_presented(grants, self.authenticate, self._users_by_key)

    def check(self, site: Site) -> list[checks.CheckMessage]:
        """Report classes that cannot be used or read no token, and sockets without a bound."""
        return [*_check_classes(self._paths), *self._check_age(site)]

    def _check_age(self, site: Site) -> Iterator[checks.CheckMessage]:
        if not self._keeps_tokens and site.max_connection_age is None:
            yield checks.Warning(
                "MAX_CONNECTION_AGE is None, and the option 'revalidate' is off: the classes are"
                " not asked about a socket's token again: it stays open when they refuse it.",
                hint="Set it to the seconds that a revoked token may be used at most.",
                id="channels_token_auth.W150",
            )

    @cached_property
    def _classes(self) -> Sequence[tuple[str, Any]]:
        """Return each class with the scheme it announces, in its own spelling."""
        classes = [import_string(path) for path in self._paths]
        return [(_keyword(each), each) for each in classes]

    def _verdict(self, credential: Credential) -> Verdict:
        """Return the verdict. Without a scheme, try all schemes and return the best one."""
        schemes = [credential.scheme] if credential.scheme else sorted(self.schemes)
        verdicts = [self._ask(scheme, credential) for scheme in schemes]
        return min(verdicts, key=_rank)

    def _ask(self, scheme: str, credential: Credential) -> Verdict:
        """Return the verdict of the first class that knows the token, as in a view."""
        for keyword, authentication_class in self._classes:
            if keyword.lower() == scheme:
                try:
                    found = authentication_class().authenticate(_presenting(credential, keyword))
                    if found is not None:
                        return self._identity(credential, *found)
                except APIException as error:
                    return _refusal(error)
                except RecursionError:  # of deeply nested JSON, in older JWT packages
                    return TokenAuthError(CloseReason.TOKEN_INVALID)
                except DatabaseError:
                    raise  # which is asked once more, on a fresh connection
                except Exception as error:  # noqa: BLE001 - whatever a site's class raises
                    name = name_of(authentication_class)
                    return refusal_of(error) or failed(name, error, about=[credential])
        return None

    def _identity(self, credential: Credential, user: Any, auth: Any) -> Verdict:
        user = concrete(user)
        if not getattr(user, "is_authenticated", False):
            # Valid, but without a user: an API key, for example.
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=NOBODYS)
        if not isinstance(user, get_user_model()):
            wanted = get_user_model().__name__
            raise TypeError(f"A class returned a {type(user).__name__} instead of a {wanted}.")
        if user.pk is None:  # all such users would be one
            raise TypeError(f"A class returned a {type(user).__name__} that was never saved.")
        authentication = self._rules.read(read_request_auth(auth), credential)
        if isinstance(authentication, TokenAuthError):
            return authentication
        return admit(user, authentication, handle=credential if self._keeps_tokens else None)


def _rank(verdict: Verdict) -> int:
    """Order verdicts: accepted; unavailable; refused; unknown."""
    if isinstance(verdict, Identity):
        return 0
    if verdict is None:
        return 3
    return 1 if verdict.code is CloseReason.UNAVAILABLE else 2


def _keyword(authentication_class: Any) -> str:
    """Return the scheme of its challenge (RFC 9110 §11.6.1), else its `keyword`."""
    challenge = authentication_class().authenticate_header(_request())
    keyword: str = challenge or getattr(authentication_class, "keyword", "") or "Bearer"
    return keyword.split(maxsplit=1)[0]


def _is_of_oauth(authentication_class: Any) -> bool:
    """Return True for django-oauth-toolkit's class, and for one that a site derives from it."""
    # By the modules: the package may not be installed.
    bases = getattr(authentication_class, "__mro__", ())
    return any(each.__module__.startswith("oauth2_provider.") for each in bases)


def _request(**headers: str) -> Any:
    request = HttpRequest()
    request.method = "GET"
    # Some classes read the URL, and Django requires an allowed host in it.
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
    refusal = refusal_of(error)
    code = CloseReason.TOKEN_INVALID if refusal is None else refusal.code
    return TokenAuthError(code, detail=REFUSED)


def _check_classes(paths: Any) -> Iterator[checks.CheckMessage]:
    if not isinstance(paths, list | tuple) or not paths:
        yield checks.Error(
            f"The option 'authentication_classes' is {paths!r}, not a list of dotted paths.",
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
