"""A token that was replaced closes its sockets with 4419: its page has a successor, or gets one.

The real packages rotate. Each case is tried twice: with the message, and by what a sweep asks.
"""

import threading
from datetime import timedelta
from importlib import import_module

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user, get_user_model, login, update_session_auth_hash
from django.core.cache import caches
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import timezone
from knox.models import AuthToken
from oauth2_provider.models import AccessToken, Application, RefreshToken
from oauth2_provider.views import TokenView
from rest_framework.authtoken.models import Token
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken as JWTRefreshToken

from channels_token_auth import revoke_token, revoke_user
from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.identity import Identity
from channels_token_auth.revocation import request_end
from channels_token_auth.verification.authenticator import site_authenticator
from tests.connection.sockets import open_sockets

BACKENDS = "channels_token_auth.backends."
PATHS = [f"{BACKENDS}{name}" for name in (
    "drf.DRFTokenBackend",
    "knox.KnoxTokenBackend",
    "oauth2.OAuth2Backend",
    "simplejwt.SimpleJWTBackend",
    "session.SessionBackend",
    "allauth.AllauthSessionTokenBackend",
)]  # fmt: skip
REPLACED, REVOKED = CloseReason.TOKEN_EXPIRED, CloseReason.TOKEN_REVOKED


@pytest.fixture(autouse=True)
def all_backends(site):
    site.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": path} for path in PATHS],
        "LOCATIONS": ["header", "cookie"],
        "COOKIE_NAME": "sessionid",
        "VERIFIED_CACHE_SECONDS": 0,
    }
    yield
    caches["default"].clear()


# -- How each package issues and rotates


def drf_token(user):
    return Token.objects.create(user=user).key


def rotate_drf(user, key):
    with transaction.atomic():
        Token.objects.get(key=key).delete()
        Token.objects.create(user=user)


def rotate_drf_in_two_savepoints(user, key):
    with transaction.atomic():
        with transaction.atomic():
            Token.objects.get(key=key).delete()
        with transaction.atomic():
            Token.objects.create(user=user)


def knox_token(user):
    return AuthToken.objects.create(user=user)[1]


def rotate_knox(user, token):
    with transaction.atomic():
        AuthToken.objects.create(user=user)
        AuthToken.objects.get(token_key=token[:15]).delete()


def oauth_token(user):
    client = Application.objects.create(
        client_type="public", authorization_grant_type="password", client_id="app"
    )
    expires = timezone.now() + timedelta(hours=1)
    row = AccessToken.objects.create(
        user=user, token="a" * 30, expires=expires, scope="read", application=client
    )
    RefreshToken.objects.create(user=user, token="r" * 30, application=client, access_token=row)
    return row.token


def refresh_oauth(user, token):
    values = {"grant_type": "refresh_token", "refresh_token": "r" * 30, "client_id": "app"}
    answer = TokenView.as_view()(RequestFactory().post("/token/", values))
    assert answer.status_code == 200, answer.content


def session_key(user):
    browser = Client()
    browser.force_login(user)
    return browser.session.session_key


def allauth_token(user):
    """The session token of allauth's app client, which its list of sessions has."""
    key = session_key(user)
    UserSession.objects.create(user=user, session_key=key, ip="127.0.0.1", user_agent="app")
    return key


def request_with(user, key, engine="django.contrib.sessions.backends.db"):
    request = HttpRequest()
    request.session = import_module(engine).SessionStore(key)
    request.user = user
    return request


def cycle_key(user, key):
    request_with(user, key).session.cycle_key()


def renew_session(user, key):
    update_session_auth_hash(request_with(user, key), user)


ROTATIONS = [
    (drf_token, rotate_drf),
    (drf_token, rotate_drf_in_two_savepoints),
    (knox_token, rotate_knox),
    (oauth_token, refresh_oauth),
    (session_key, cycle_key),
    (session_key, renew_session),
    (allauth_token, cycle_key),
]


async def opened(sockets, issue, user):
    """A socket, and its token."""
    token = await sync_to_async(issue)(user)
    cookie = "sessionid" if issue is session_key else None
    socket = await sockets(token, scheme="Bearer", cookie=cookie)
    return socket, token


async def swept(grant=None):
    """Return the verdict of a sweep on the only socket."""
    grant = grant or open_sockets()[0].grant
    ask = sync_to_async(site_authenticator().chain.revalidate)
    (verdict,) = await ask([grant])
    return None if isinstance(verdict, Identity) else verdict.code


@pytest.fixture(params=[True, False], ids=["rotated", "kept"])
def rotation(request, site):
    site.OAUTH2_PROVIDER = {"ROTATE_REFRESH_TOKEN": request.param}


@pytest.mark.usefixtures("rotation")
@pytest.mark.parametrize(("issue", "rotate"), ROTATIONS)
async def test_socket_of_a_replaced_token_closes_with_4419(sockets, ada, issue, rotate):
    socket, token = await opened(sockets, issue, ada)
    await sync_to_async(rotate)(ada, token)
    assert await socket.closes() == REPLACED.close_code


@pytest.mark.usefixtures("rotation")
@pytest.mark.parametrize(("issue", "rotate"), ROTATIONS)
async def test_sweep_answers_as_the_message_did(sockets, ada, issue, rotate, monkeypatch):
    _, token = await opened(sockets, issue, ada)
    monkeypatch.setattr("channels_token_auth.revocation.on_commit.publish", lambda *_: None)
    await sync_to_async(rotate)(ada, token)
    assert await swept() is REPLACED


# -- What is no rotation


def delete_only(user, key):
    Token.objects.get(key=key).delete()


def rotate_and_roll_the_new_one_back(user, key):
    with transaction.atomic():
        Token.objects.get(key=key).delete()
        with transaction.atomic():
            Token.objects.create(user=user)
            transaction.set_rollback(True)


def issue_another_and_end_it_too(user, key):
    with transaction.atomic():
        Token.objects.get(key=key).delete()
        Token.objects.create(user=user).delete()


def issue_to_another(user, key):
    with transaction.atomic():
        Token.objects.get(key=key).delete()
        Token.objects.create(user=get_user_model().objects.create_user("eve"))


def revoke_and_issue(user, key):
    with transaction.atomic():
        revoke_token(key)
        Token.objects.create(user=user)


def revoke_all_and_issue(user, key):
    with transaction.atomic():
        revoke_user(user)
        Token.objects.create(user=user)


def rotate_in_two_transactions(user, key):
    """The socket closes after the first, when nobody knows of a new token."""
    Token.objects.get(key=key).delete()
    Token.objects.create(user=user)


@pytest.mark.parametrize(
    "end",
    [
        delete_only,
        rotate_in_two_transactions,
        rotate_and_roll_the_new_one_back,
        issue_another_and_end_it_too,
        issue_to_another,
        revoke_and_issue,
        revoke_all_and_issue,
    ],
)
async def test_token_that_was_only_revoked_closes_with_4410(sockets, ada, end):
    socket, key = await opened(sockets, drf_token, ada)
    await sync_to_async(end)(ada, key)
    assert await socket.closes() == REVOKED.close_code


def issue_oauth_token(user):
    AccessToken.objects.create(
        user=user, token="b" * 30, expires=timezone.now() + timedelta(hours=1), scope="read"
    )


@pytest.mark.parametrize("which", [{}, {"issued_before": True}, {"except_token": "c" * 32}])
@pytest.mark.parametrize(
    "issuers",
    [(oauth_token, issue_oauth_token), (knox_token, knox_token), (drf_token, drf_token)],
)
async def test_token_that_was_revoked_on_purpose_has_no_successor(
    sockets, ada, told, issuers, which
):
    issue, issue_another = issuers

    def revoke_and_issue():
        if "issued_before" in which:
            which["issued_before"] = timezone.now()
        with transaction.atomic():
            revoke_user(ada, **which)
            issue_another(ada)

    socket, _ = await opened(sockets, issue, ada)
    await sync_to_async(revoke_and_issue)()
    assert await socket.closes() == REVOKED.close_code
    codes = {given["code"] for name, given in told if name == "token_revoked"}
    assert codes == {REVOKED.value}


def sign_out_everywhere(user, token):
    with transaction.atomic():
        AuthToken.objects.filter(user=user).delete()
        AuthToken.objects.create(user=user)


async def test_of_several_tokens_nobody_knows_which_one_was_replaced(sockets, ada):
    await sync_to_async(knox_token)(ada)
    socket, token = await opened(sockets, knox_token, ada)
    await sync_to_async(sign_out_everywhere)(ada, token)
    assert await socket.closes() == REVOKED.close_code


async def test_rotation_of_a_refresh_token_leaves_the_access_tokens_socket(sockets, ada, site):
    site.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}
    refresh = await sync_to_async(JWTRefreshToken.for_user)(ada)
    socket = await sockets(str(refresh.access_token), scheme="Bearer")

    def rotate():
        TokenRefreshSerializer(data={"refresh": str(refresh)}).is_valid(raise_exception=True)

    await sync_to_async(rotate)()
    assert await socket.stays()


# -- A new password


def change_password(user):
    user.set_password("another")
    user.save()


def access_token(user):
    return str(JWTRefreshToken.for_user(user).access_token)


@pytest.mark.parametrize(
    ("issue", "code", "swept_code"),
    [
        (drf_token, REPLACED, None),
        (knox_token, REPLACED, None),
        (oauth_token, REPLACED, None),
        (access_token, REVOKED, REVOKED),
        (session_key, REVOKED, REVOKED),
        (allauth_token, REVOKED, REVOKED),
    ],
)
async def test_new_password_closes_by_what_becomes_of_the_token(
    sockets, ada, issue, code, swept_code
):
    socket, _ = await opened(sockets, issue, ada)
    grant = open_sockets()[0].grant
    await sync_to_async(change_password)(ada)
    assert await socket.closes() == code.close_code
    assert await swept(grant) is swept_code


def change_own_password(request):
    """Do as `PasswordChangeView` does."""
    request.user = get_user(request)
    change_password(request.user)
    update_session_auth_hash(request, request.user)
    return HttpResponse()


def log_in_again(request):
    """Change the password, and make a new session of the browser's own."""
    user = get_user(request)
    change_password(user)
    request.session.flush()
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.save()
    return HttpResponse()


def stream(view):
    """Answer slowly: the headers, with the new cookie, are long at the browser."""

    def streamed(request):
        def chunks():
            yield b"first"
            proceed.wait(60)

        view(request)
        return StreamingHttpResponse(chunks())

    return streamed


proceed = threading.Event()
urlpatterns = [
    path("password/", change_own_password),
    path("streamed/change_own_password/", stream(change_own_password)),
    path("streamed/log_in_again/", stream(log_in_again)),
]


@pytest.fixture(params=[True, False], ids=["atomic", "autocommit"])
def view(request, site, monkeypatch):
    site.ROOT_URLCONF = __name__
    site.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware"]
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


@pytest.fixture
def browsers(ada):
    """Two browsers of Ada's."""
    browsers = Client(), Client()
    for each in browsers:
        each.force_login(ada)
    return browsers


async def with_cookie(sockets, browser):
    return await sockets(browser.cookies["sessionid"].value, cookie="sessionid")


@pytest.mark.usefixtures("view")
async def test_page_that_changes_its_password_reconnects_and_other_browsers_log_in(
    sockets, browsers
):
    mine, other = [await with_cookie(sockets, each) for each in browsers]
    answer = await sync_to_async(browsers[0].post)("/password/")
    assert answer.status_code == 200
    assert await mine.closes() == REPLACED.close_code
    assert await other.closes() == REVOKED.close_code
    again = await with_cookie(sockets, browsers[0])
    assert await again.stays()


@pytest.fixture(params=["cache", "file"])
def no_table(request, site, tmp_path):
    site.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    site.SESSION_FILE_PATH = str(tmp_path)


@pytest.mark.usefixtures("no_table", "view")
@pytest.mark.parametrize("name", ["password", "streamed/change_own_password"])
async def test_session_without_a_row_is_decided_by_the_next_handshake(
    name, sockets, browsers, monkeypatch
):
    """Nothing shows which session was renewed: so nobody is asked to log in before it is known."""
    # The end of the request decides, never the timer: a slow machine could need longer for `again`.
    monkeypatch.setattr(request_end, "LONGEST", 3600)
    proceed.clear()
    mine, other = [await with_cookie(sockets, each) for each in browsers]
    answer = await sync_to_async(browsers[0].post)(f"/{name}/")
    again = await with_cookie(sockets, browsers[0])
    proceed.set()
    await sync_to_async(answer.close)()
    assert await mine.closes() == REPLACED.close_code
    assert await other.closes() == REPLACED.close_code
    if name == "password":
        assert await again.stays()
    else:  # opened before the end of the request
        assert await again.closes() == REPLACED.close_code
    assert await (await with_cookie(sockets, browsers[0])).stays()
    assert await (await with_cookie(sockets, browsers[1])).closes() == REVOKED.close_code


@pytest.mark.usefixtures("view")
async def test_sweep_knows_the_session_that_a_new_password_renewed(sockets, browsers, monkeypatch):
    monkeypatch.setattr("channels_token_auth.revocation.on_commit.publish", lambda *_: None)
    for each in browsers:
        await with_cookie(sockets, each)
    keys = [Secret(each.cookies["sessionid"].value).digest for each in browsers]
    await sync_to_async(browsers[0].post)("/password/")
    grants = {each.token_id: each.grant for each in open_sockets()}
    assert [await swept(grants[key]) for key in keys] == [REPLACED, REVOKED]


@pytest.mark.usefixtures("view")
@pytest.mark.parametrize("name", ["change_own_password", "log_in_again"])
async def test_new_session_of_a_streamed_response_keeps_its_socket(
    sockets, browsers, monkeypatch, name
):
    monkeypatch.setattr(request_end, "LONGEST", 0.5)
    proceed.clear()
    other = await with_cookie(sockets, browsers[1])
    answer = await sync_to_async(browsers[0].post)(f"/streamed/{name}/")
    again = await with_cookie(sockets, browsers[0])
    assert await other.closes() == REVOKED.close_code  # by the timer: nobody reads the response
    assert await again.stays()
    proceed.set()
    await sync_to_async(answer.close)()
