"""Tokens of a route whose backends are not in BACKENDS: each way to revoke reaches them."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event, Lock

import jwt
import pytest
from asgiref.sync import sync_to_async
from channels.routing import get_default_application
from django.apps import apps
from django.dispatch import Signal
from django.test.utils import override_script_prefix
from django.urls import get_script_prefix, set_script_prefix
from knox.models import AuthToken

from channels_token_auth import arevoke_token, arevoke_user
from channels_token_auth.backends.contract import RevocationSignal
from channels_token_auth.backends.drf import DRFTokenBackend
from channels_token_auth.cluster import local_nodes
from channels_token_auth.middleware import TokenAuthMiddleware
from channels_token_auth.revocation import known_names
from channels_token_auth.revocation.known_names import known_backends, require_known
from channels_token_auth.revocation.triggers import wire
from channels_token_auth.verification.route import revocable_backends
from tests.revocation.conftest import Socket, accept
from tests.verification.odd_caches import cache as cache_of

pytestmark = pytest.mark.database
BACKENDS = "channels_token_auth.backends"
KNOX = {"BACKEND": f"{BACKENDS}.knox.KnoxTokenBackend"}
KEY, ISSUER = "k" * 40, "https://a"
JWT = {
    "BACKEND": f"{BACKENDS}.jwt.JWTBackend",
    "OPTIONS": {"algorithms": ["HS256"], "key": KEY, "issuer": ISSUER},
}


def knox_of(user):
    return AuthToken.objects.create(user)[1]


def jwt_of(user):
    claims = {"sub": str(user.pk), "iss": ISSUER, "iat": int(time.time()) - 9, "exp": 2**31}
    return jwt.encode(claims, KEY, "HS256")


KINDS = {"knox": (KNOX, "Token", knox_of), "jwt": (JWT, "Bearer", jwt_of)}


@sync_to_async
def change_password(user):
    user.set_password("another")
    user.save()


@sync_to_async
def delete_row(user):
    AuthToken.objects.filter(user=user).delete()


WAYS = [
    ("knox", arevoke_user, 4401),
    ("knox", arevoke_token, 4401),
    ("knox", delete_row, 4401),
    ("jwt", arevoke_user, 4410),
    ("jwt", arevoke_token, 4410),
    ("jwt", change_password, 4410),
]


@pytest.mark.parametrize(("kind", "revoke", "code"), WAYS)
async def test_revocation_reaches_the_tokens_of_a_route(site, ada, kind, revoke, code):
    site.CACHES = cache_of("django.core.cache.backends.locmem.LocMemCache")
    backend, scheme, new_token = KINDS[kind]
    route = TokenAuthMiddleware(accept, backends=[backend], refusal="close")
    raw = await sync_to_async(new_token)(ada)
    socket, again = Socket(raw, scheme=scheme), Socket(raw, scheme=scheme)
    await socket.open(route)
    assert socket.code is None
    if revoke is arevoke_token:
        await revoke(raw)
    else:
        await revoke(ada)
    assert await socket.closes() == 4410
    await again.open(route)
    assert await again.closes() == code
    for each in (socket, again):
        await each.leave()


def test_backends_of_routes_are_known_once(site):
    own = TokenAuthMiddleware(accept, backends=[KNOX, JWT])
    same = TokenAuthMiddleware(accept, backends=[KNOX], scopes=["chat"])
    listed = TokenAuthMiddleware(accept, backends=site.CHANNELS_TOKEN_AUTH["BACKENDS"])
    assert sorted(each.name for each in revocable_backends()) == ["drf", "jwt", "knox"]
    assert own
    assert same
    assert listed


@pytest.mark.usefixtures("site")
def test_route_that_was_built_before_the_apps_were_loaded_is_known(monkeypatch):
    with monkeypatch.context() as loading:
        loading.setattr(apps, "ready", False)
        early = TokenAuthMiddleware(accept, backends=[KNOX])
        wrong = TokenAuthMiddleware(accept, backends=[{"BACKEND": "missing"}])
        assert "knox" not in {each.name for each in revocable_backends()}
    require_known(backends=["knox"], issuer=None)
    assert "knox" in {each.name for each in revocable_backends()}
    assert early
    assert wrong


@pytest.fixture
def process(site, monkeypatch):
    """A process that has not imported `asgi.py`, such as a command or a task worker."""
    # private: another test of this process has built a middleware, which makes it a server's.
    monkeypatch.setattr(local_nodes, "_process", type(local_nodes._process)())
    site.ASGI_APPLICATION = "tests.revocation.routed.application"


@pytest.mark.usefixtures("process")
def test_process_without_sockets_knows_the_routes_and_serves_none_of_them():
    assert "routed" in {each.name for each in known_backends()}
    assert not local_nodes.serves_sockets()


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("error", [ZeroDivisionError, SystemExit])
def test_application_is_imported_once_even_if_that_fails(monkeypatch, error):
    imported = []

    def fail():
        imported.append(1)
        raise error

    monkeypatch.setattr(known_names, "get_default_application", fail)
    assert [each.name for each in known_backends()] == ["drf"]
    assert [each.name for each in known_backends()] == ["drf"]
    assert len(imported) == 1


@pytest.mark.usefixtures("process")
def test_view_keeps_its_script_prefix_while_the_application_is_imported(monkeypatch):
    monkeypatch.setattr(known_names, "get_default_application", lambda: set_script_prefix("/"))
    with override_script_prefix("/app/"):
        known_backends()
        assert get_script_prefix() == "/app/"


@pytest.mark.usefixtures("process")
def test_thread_waits_for_the_import_that_another_one_has_begun(monkeypatch):
    begun, arrived, may_end, imports = Event(), Event(), Event(), Lock()

    def load():
        if begun.is_set():
            arrived.set()
        with imports:  # as Python has it for a module
            TokenAuthMiddleware(accept)  # the first route of several
            begun.set()
            assert may_end.wait(60)
            return get_default_application()

    monkeypatch.setattr(known_names, "get_default_application", load)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(known_backends)
        assert begun.wait(60)
        second = threads.submit(known_backends)
        second.add_done_callback(lambda _: arrived.set())
        assert arrived.wait(60)
        may_end.set()
        for each in (first, second):
            assert "routed" in {backend.name for backend in each.result(60)}
    assert not local_nodes.serves_sockets()


def test_signals_are_connected_once_by_two_threads(site):
    ended, counted = Signal(), []
    threads = ThreadPoolExecutor()

    class OwnBackend(DRFTokenBackend):
        other = None

        def announcements(self):
            if not OwnBackend.other:  # the first thread gives the second one time to overtake it
                OwnBackend.other = threads.submit(wire)
                wait([OwnBackend.other], timeout=0.5)
            tokens = lambda **_: counted.append(1) or []  # noqa: E731
            return [RevocationSignal(signal=ended, sender=None, tokens=tokens)]

    path = f"{__name__}.OwnBackend"
    with pytest.MonkeyPatch.context() as patch, threads:
        patch.setitem(globals(), "OwnBackend", OwnBackend)
        site.CHANNELS_TOKEN_AUTH = {"BACKENDS": [{"BACKEND": path}]}
        OwnBackend.other.result(60)
        ended.send(None)
    assert counted == [1]
