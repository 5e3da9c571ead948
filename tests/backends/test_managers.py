"""Users that a site's managers hide: sockets are refused where HTTP requests are."""

import time

import jwt
import pytest
from rest_framework_simplejwt.settings import api_settings

from channels_token_auth import CloseReason, Credential, Grant, Location, Secret
from channels_token_auth.backends.introspection import IntrospectionBackend
from channels_token_auth.backends.jwt import JWTBackend
from channels_token_auth.backends.simplejwt import SimpleJWTBackend
from tests.backends.introspection_server import introspection_server
from tests.backends.own_users.models import Employee, Present

pytestmark = pytest.mark.database
NOW = int(time.time())
CLAIMS = {"user_id": "1", "iat": NOW, "exp": NOW + 7200, "jti": "1", "token_type": "access"}
TOKEN = jwt.encode(CLAIMS, api_settings.SIGNING_KEY, "HS256")


@pytest.fixture(params=["jwt", "simplejwt", "introspection"])
def backend(request):
    if request.param == "jwt":
        yield JWTBackend(algorithms=["HS256"], key=api_settings.SIGNING_KEY, user_claim="user_id")
    elif request.param == "simplejwt":
        yield SimpleJWTBackend()
    else:
        with introspection_server() as server:
            server.claims[TOKEN] = {"active": True, "user_id": "1"}
            yield IntrospectionBackend(
                url=server.url, bearer_token="ours", user_claim="user_id", user_field="pk"
            )


@pytest.fixture(autouse=True)
def ada(db, settings):
    settings.AUTH_USER_MODEL = "own_users.Employee"
    return Employee.all_objects.create(pk=1, name="ada")


def verdict_on(backend):
    credential = Credential(location=Location.HEADER, secret=Secret(TOKEN))
    (verdict,) = backend.authenticate([credential])
    return verdict


def grant_of(identity, *, handle):
    authentication = identity.authentication
    return Grant(user_pk=identity.user.pk, authentication=authentication, handle=handle)


def test_present_user_is_admitted(backend, ada):
    assert verdict_on(backend).user == ada


def test_hidden_user_is_refused_at_the_handshake(backend, ada):
    Employee.all_objects.update(is_deleted=True)
    assert verdict_on(backend).code is CloseReason.TOKEN_INVALID


@pytest.mark.parametrize("by_ticket", [False, True])
def test_hidden_user_is_refused_by_the_sweep(backend, ada, by_ticket):
    identity = verdict_on(backend)
    held = grant_of(identity, handle=None if by_ticket else identity.handle)
    Employee.all_objects.update(is_deleted=True)
    (verdict,) = backend.revalidate([held])
    assert verdict.code is CloseReason.TOKEN_REVOKED


def test_manager_of_another_tenant_is_asked_anew(backend, ada, monkeypatch):
    assert verdict_on(backend).user == ada
    monkeypatch.setattr(Present, "tenant", "b")
    assert verdict_on(backend).code is CloseReason.TOKEN_INVALID
