"""Verify each tenant's tokens separately, and add the tenant to their identities."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from ...backends.contract import Authority, Revocations, TokenBackend
from ...core.authentication import Authentication
from ...core.close_codes import CloseReason
from ...core.credentials import Credential
from ...core.errors import Detail, TokenAuthError
from ...core.identity import Grant, Identity, UserInactiveError, Verdict
from ...tenants import Tenants

__all__ = ["of_tenants"]

OTHER_TENANT = Detail(
    slug="tenant_not_named",
    remedy="The token does not name this tenant, whose keys or server are those of all tenants: put"
    " the tenant's key into a claim 'tenant' and add labels=['tenant'] to the backend's OPTIONS, or"
    " override admits() in the class that TENANTS names.",
)

Asked = TypeVar("Asked", Credential, Grant)


def of_tenants(backend: TokenBackend, tenants: Tenants | None) -> TokenBackend:
    """Return the backend; if the site has tenants, wrapped so that it separates them."""
    return cast("TokenBackend", _TenantBackend(backend, tenants)) if tenants else backend


class _TenantBackend:
    """A `TokenBackend` that wraps another one. One batch may contain tokens of several tenants.

    A credential without a tenant belongs to the current tenant of the view or command.
    """

    def __init__(self, backend: TokenBackend, tenants: Tenants) -> None:
        self._backend = backend
        self._tenants = tenants

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def authenticate(self, credentials: Sequence[Credential]) -> Sequence[Verdict]:
        """Return the backend's verdicts on each tenant's credentials."""
        tenants = [each.tenant for each in credentials]
        return self._verdicts(self._backend.authenticate, credentials, tenants)

    def revalidate(self, grants: Sequence[Grant]) -> Sequence[Verdict]:
        """Return the backend's verdicts on each tenant's grants."""
        tenants = [each.authentication.tenant for each in grants]
        return self._verdicts(self._backend.revalidate, grants, tenants)

    def revoke(self, grants: Sequence[Grant]) -> Sequence[bool]:
        """Revoke each token in the store of its tenant."""
        tenants = [each.authentication.tenant for each in grants]
        return self._ask(self._backend.revoke, grants, tenants)[0]

    def _verdicts(
        self,
        question: Callable[[Sequence[Asked]], Sequence[Any]],
        asked: Sequence[Asked],
        tenants: Sequence[str | None],
    ) -> list[Any]:
        verdicts, owners = self._ask(question, asked, tenants)
        return [self._owned(each, owner) for each, owner in zip(verdicts, owners, strict=True)]

    def _owned(self, verdict: Any, tenant: str | None) -> Any:
        """Return the verdict with the tenant in its identity, or a refusal."""
        if isinstance(verdict, UserInactiveError):
            identity = self._owned(verdict.identity, tenant)
            return UserInactiveError(identity) if isinstance(identity, Identity) else identity
        if not isinstance(verdict, Identity) or tenant is None:
            return verdict
        authentication = verdict.authentication
        # With a shared key, tokens of one tenant are valid for all, unless a claim names the
        # tenant.
        if self._is_shared(authentication) and not self._tenants.admits(authentication, tenant):
            return TokenAuthError(CloseReason.TOKEN_INVALID, detail=OTHER_TENANT)
        return replace(verdict, authentication=replace(authentication, tenant=tenant))

    def _is_shared(self, token: Authentication) -> bool:
        """Return True if all tenants use the same key or the same server to verify the token."""
        is_stateless = self._backend.revocations is Revocations.NOWHERE
        authority = self._backend.authority
        if is_stateless or authority in (Authority.ANY_TEXT, Authority.ISSUER):
            return True
        # A class of Django REST framework may verify tokens in any way. Those that expire are JWTs:
        # `exp` is a claim, and a row has another name for it.
        return authority is Authority.VIEWS and token.expires_at is not None

    def _ask(
        self,
        question: Callable[[Sequence[Asked]], Sequence[Any]],
        asked: Sequence[Asked],
        tenants: Sequence[str | None],
    ) -> tuple[list[Any], list[str | None]]:
        """Return the answers, and the tenant of each."""
        current = self._tenants.current() if None in tenants else None
        owners = [current if tenant is None else tenant for tenant in tenants]
        by_tenant: dict[str | None, list[int]] = defaultdict(list)
        for i, owner in enumerate(owners):
            by_tenant[owner].append(i)
        answers: dict[int, Any] = {}
        for owner, places in by_tenant.items():
            found = self._ask_one(question, [asked[i] for i in places], owner)
            answers |= zip(places, found, strict=True)
        return [answers[i] for i in range(len(asked))], owners

    def _ask_one(
        self,
        question: Callable[[Sequence[Asked]], Sequence[Any]],
        asked: Sequence[Asked],
        tenant: str | None,
    ) -> Sequence[Any]:
        if tenant is None:  # without a tenant, no backend knows the token
            return [None] * len(asked)
        with self._tenants.activate(tenant):
            return question(asked)
