"""One batch holds tokens of many tenants: each tenant is asked about its own."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.core.exceptions import (
    ImproperlyConfigured,
    ObjectDoesNotExist,
    PermissionDenied,
)
from django.http import Http404

from channels_token_auth import CloseReason, Grant, Identity, Revocations
from channels_token_auth.backends.contract import Authority
from channels_token_auth.conf import override
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.tenants.site import build_tenants
from channels_token_auth.verification.authenticator import Authenticator
from channels_token_auth.verification.tenancy import TenantsOfHandshakes, of_tenants
from tests.tenants.fakes import FakeTenants
from tests.verification.backends import FakeBackend, credential


class Noting(FakeBackend):
    """Notes who was active for which tokens."""

    def __init__(self, tenants, *tokens):
        super().__init__(*tokens)
        self.asked = []
        self._tenants = tenants

    def authenticate(self, credentials):
        found = super().authenticate(credentials)
        self.asked.append((self._tenants.active, self.batches[-1]))
        return found

    def revalidate(self, grants):
        self.asked.append((self._tenants.active, len(grants)))
        return [
            Identity(user=SimpleNamespace(pk=each.user_pk), authentication=each.authentication)
            for each in grants
        ]


def presented(token, tenant):
    return replace(credential(token), tenant=tenant)


@pytest.fixture
def tenants():
    return FakeTenants()


@pytest.fixture
def backend(tenants):
    return Noting(tenants, "a", "b")


@pytest.fixture
def authenticator(backend, tenants):
    return Authenticator([backend], timeout=60, tenants=tenants)


def test_batch_is_asked_tenant_by_tenant(authenticator, backend):
    batch = [presented("a", "acme"), presented("b", "globex"), presented("x", "acme")]
    first, second, third = authenticator.chain.authenticate(batch)
    assert backend.asked == [("acme", ["a", "x"]), ("globex", ["b"])]
    assert (first.authentication.tenant, second.authentication.tenant) == ("acme", "globex")
    assert third.code is CloseReason.TOKEN_INVALID


def test_same_user_of_two_tenants_is_two_users(authenticator):
    batch = [presented("a", "acme"), presented("a", "globex")]
    first, second = authenticator.chain.authenticate(batch)
    assert first.user.pk == second.user.pk
    assert first.user_key != second.user_key


def test_sweep_asks_tenant_by_tenant_and_keeps_them(authenticator, backend):
    batch = [presented("a", "acme"), presented("b", "globex")]
    identities = authenticator.chain.authenticate(batch)
    backend.asked.clear()
    grants = [Grant(user_pk=1, authentication=each.authentication) for each in identities]
    verdicts = authenticator.chain.revalidate(grants)
    assert backend.asked == [("acme", 1), ("globex", 1)]
    assert [each.authentication.tenant for each in verdicts] == ["acme", "globex"]


async def test_verdict_of_one_tenant_is_not_remembered_for_another(backend, tenants):
    authenticator = Authenticator([backend], timeout=60, verified_cache_seconds=9, tenants=tenants)
    found = [await authenticator.authenticate(presented("a", name)) for name in ("acme", "globex")]
    assert [each.authentication.tenant for each in found] == ["acme", "globex"]


def test_view_asks_for_the_tenant_that_it_works_for(authenticator, tenants):
    tenants.active = "acme"
    assert authenticator.authenticate_now(credential("a")).authentication.tenant == "acme"


def test_code_that_works_for_no_tenant_knows_no_token(authenticator):
    assert authenticator.authenticate_now(credential("a")).code is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize(
    ("revocations", "authority"),
    [
        (Revocations.NOWHERE, None),
        (Revocations.STORE, Authority.ISSUER),
        (Revocations.STORE, Authority.ANY_TEXT),
    ],
)
def test_token_of_a_shared_key_or_server_has_to_name_its_tenant(
    authenticator, backend, revocations, authority
):
    backend.revocations, backend.authority = revocations, authority
    (verdict,) = authenticator.chain.authenticate([presented("a", "acme")])
    assert (verdict.code, verdict.detail.slug) == (CloseReason.TOKEN_INVALID, "tenant_not_named")


class Views(Noting):
    """Knows tokens that expire at `expires_at`, as classes of Django REST framework would."""

    revocations = Revocations.STORE
    authority = Authority.VIEWS
    expires_at = datetime(2030, 1, 1, tzinfo=UTC)

    def authenticate(self, credentials):
        (found,) = super().authenticate(credentials)
        of_it = replace(found.authentication, expires_at=self.expires_at)
        return [replace(found, authentication=of_it)]


def test_row_of_a_rest_framework_class_is_the_tenants(tenants):
    backend = Views(tenants, "a")
    backend.expires_at = None
    (verdict,) = of_tenants(backend, tenants).authenticate([presented("a", "acme")])
    assert verdict.authentication.tenant == "acme"


def test_jwt_of_a_rest_framework_class_has_to_be_admitted(tenants):
    backend = of_tenants(Views(tenants, "a"), tenants)
    (verdict,) = backend.authenticate([presented("a", "acme")])
    assert (verdict.code, verdict.detail.slug) == (CloseReason.TOKEN_INVALID, "tenant_not_named")
    tenants.admits = lambda authentication, tenant: tenant == "acme"
    (verdict,) = backend.authenticate([presented("a", "acme")])
    assert verdict.authentication.tenant == "acme"


def find(tenants, path):
    step = TenantsOfHandshakes(tenants).begin({"type": "websocket", "path": path})
    (answer,) = TenantsOfHandshakes(tenants).find([step.item])
    return answer


def test_handshake_of_no_tenant_is_refused(tenants):
    refused = find(tenants, None)
    assert isinstance(refused, TokenAuthError)
    assert (refused.code, refused.detail.slug) == (CloseReason.TOKEN_INVALID, "tenant_unknown")


@pytest.mark.parametrize(
    ("error", "code", "slug"),
    [
        (ObjectDoesNotExist(), CloseReason.TOKEN_INVALID, "tenant_unknown"),
        (Http404(), CloseReason.TOKEN_INVALID, "tenant_unknown"),
        (PermissionDenied(), CloseReason.FORBIDDEN, "user_function_refused"),
    ],
)
def test_tenants_refuse_a_handshake_by_what_they_raise(tenants, caplog, error, code, slug):
    def refuse(scope):
        raise error

    tenants.by_scope = refuse
    refused = find(tenants, "acme")
    assert (refused.code, refused.detail.slug) == (code, slug)
    assert caplog.records == []


@pytest.mark.parametrize("answer", [5, "", b"acme", ("acme",)])
def test_key_that_is_no_text_is_unavailable(tenants, answer):
    assert find(tenants, answer).code is CloseReason.UNAVAILABLE


def test_tenant_that_cannot_be_found_is_unavailable(tenants, caplog):
    tenants.by_scope = lambda scope: 1 / 0
    assert find(tenants, "acme").code is CloseReason.UNAVAILABLE
    assert "ZeroDivisionError" in caplog.text
    assert "FakeTenants.of_scope" in caplog.text


@pytest.mark.parametrize("path", ["nowhere.Tenants", "builtins.dict", "builtins.nothing"])
def test_class_that_is_none_is_named(path, settings):
    settings.CHANNELS_TOKEN_AUTH |= {"TENANTS": path}
    with pytest.raises(ImproperlyConfigured, match="TENANTS"):
        build_tenants(override({}))
