"""Tokens that are the key of a session: Django's by its cookie, allauth's by its session token."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.test import RequestFactory

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from tests.matrix.kind import Kind, State

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


def logged_in(user):
    """The request of somebody who has just logged in."""
    request = RequestFactory().post("/login/")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    request.user = AnonymousUser()
    login(request, user, MODEL_BACKEND)
    request.session.save()
    return request


def let_sessions_expire():
    Session.objects.update(expire_date=datetime.now(UTC) - timedelta(hours=1))


class DjangoSession(Kind):
    name, title = "session", "Django sessions"
    path = "channels_token_auth.backends.session.SessionBackend"
    answers = {State.REVOKED: CloseReason.TOKEN_INVALID}  # noqa: RUF012 - see Kind
    locations = (Location.COOKIE, Location.TICKET)
    cookie = "sessionid"
    queries = 2
    keeps_rows = False

    def valid(self, user):
        return logged_in(user).session.session_key

    def unknown(self, user):
        return import_module(settings.SESSION_ENGINE).SessionStore()._get_new_session_key()

    def expired(self, user):
        return self._then(lambda *_: let_sessions_expire(), user)

    def revoke(self, token, user):
        Session.objects.get(session_key=token).delete()


class AllauthSession(Kind):
    name, title = "allauth", "allauth session tokens"
    path = "channels_token_auth.backends.allauth.AllauthSessionTokenBackend"
    settings = {"AUTHENTICATION_BACKENDS": [MODEL_BACKEND]}  # noqa: RUF012 - see Kind
    answers = {State.REVOKED: CloseReason.TOKEN_INVALID}  # noqa: RUF012 - see Kind
    queries = 2

    def valid(self, user):
        request = logged_in(user)
        UserSession.objects.create_from_request(request)
        return SessionTokenStrategy().create_session_token(request)

    def unknown(self, user):
        return import_module(settings.SESSION_ENGINE).SessionStore()._get_new_session_key()

    def expired(self, user):
        return self._then(lambda *_: let_sessions_expire(), user)

    def revoke(self, token, user):
        UserSession.objects.get(user=user).end()
