"""A site with a primary and two replicas, as a program: what each backend finds and revokes there.

Replicas are databases of their own, to which this program copies rows, or does not. The router
names another replica for each read, as a balancing one does. Prints JSON: a list for each scene.
"""

import json
import sys
from itertools import cycle
from pathlib import Path

import django
from django.conf import settings

from tests.plugins.measure import save_at_exit

save_at_exit()
FOLDER = Path(sys.argv[1])
ALIASES = ("default", "first", "second")
APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework.authtoken",
    "knox",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "rest_framework_simplejwt.token_blacklist",
    "channels_token_auth",
]
SCOPES = "tests.verification.test_scoped.staff_may_write"
OURS = "channels_token_auth.backends"
settings.configure(
    # A migration of older allauth reads the default database, whichever is migrated.
    MIGRATION_MODULES={app.rpartition(".")[2]: None for app in APPS},
    INSTALLED_APPS=APPS,
    SECRET_KEY="k" * 50,
    USE_TZ="--naive" not in sys.argv,
    TIME_ZONE="UTC",
    DATABASES={
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / f"{alias}.sqlite3"}
        for alias in ALIASES
    },
    DATABASE_ROUTERS=["__main__.Router"],
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    CHANNELS_TOKEN_AUTH={
        "BACKENDS": [
            {"BACKEND": f"{OURS}.drf.DRFTokenBackend"},
            # A function that gives scopes changes nothing about where rows are read.
            {"BACKEND": f"{OURS}.knox.KnoxTokenBackend", "SCOPES": SCOPES},
            {"BACKEND": f"{OURS}.oauth2.OAuth2Backend"},
        ]
    },
)


class Router:
    """Reads go to the replicas in turn, writes to the primary."""

    replicas = cycle(["first", "second"])

    def db_for_read(self, model, **hints):
        return next(self.replicas)

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *_, **__):
        return True


django.setup()

from datetime import UTC, datetime, timedelta  # noqa: E402 - Django had to be set up

from django.contrib.auth import (  # noqa: E402
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
)
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connections  # noqa: E402
from django.utils import timezone  # noqa: E402
from knox.models import AuthToken  # noqa: E402
from oauth2_provider.models import AccessToken, Application  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402

from channels_token_auth import revoke_token, revoke_user  # noqa: E402
from channels_token_auth.backends.simplejwt import SimpleJWTBackend  # noqa: E402
from channels_token_auth.core.authentication import Authentication  # noqa: E402
from channels_token_auth.core.credentials import Credential, Location, Secret  # noqa: E402
from channels_token_auth.core.identity import Grant, Identity  # noqa: E402
from channels_token_auth.verification.authenticator import site_authenticator  # noqa: E402

ROWS = (Token, AuthToken, AccessToken)


def replicate():
    """Bring both replicas up to date."""
    for model in (User, Application, *ROWS):
        for alias in ALIASES[1:]:
            for row in model._base_manager.using("default"):
                row.save(
                    using=alias,
                    force_insert=not model._base_manager.using(alias).filter(pk=row.pk).exists(),
                )


def new_tokens(user):
    application = Application.objects.using("default").create(
        client_type="public", authorization_grant_type="password", user=user
    )
    expires = timezone.now() + timedelta(hours=1)
    oauth = AccessToken.objects.create(
        user=user, token="0" * 30, application=application, expires=expires
    )
    return [Token.objects.create(user=user).key, AuthToken.objects.create(user)[1], oauth.token]


def verdicts(tokens):
    chain = site_authenticator().chain
    return chain.authenticate(
        [Credential(location=Location.HEADER, secret=Secret(token)) for token in tokens]
    )


def words(answers):
    return ["in" if isinstance(each, Identity) else each.code.value for each in answers]


def grants(answers):
    return [
        Grant(user_pk=each.user.pk, authentication=each.authentication, handle=each.handle)
        for each in answers
    ]


for alias in ALIASES:
    call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
user = User.objects.create_user("ada")
tokens = new_tokens(user)
scenes = {"lagging": words(verdicts(tokens))}
held = grants(verdicts(tokens))
scenes["lagging sweep"] = words(site_authenticator().chain.revalidate(held))
scenes["lagging, unknown"] = words(verdicts(["f" * 40]))
replicate()
scenes["in turn"] = words(verdicts(tokens) * 1 + verdicts(tokens))
scenes["aware"] = [each.authentication.issued_at.tzinfo is not None for each in verdicts(tokens)]


def stale(**fields):
    """Have both replicas lag: their users and tokens have these old values."""
    for model in (User, *ROWS):
        old = {name: each for name, each in fields.items() if hasattr(model, name)}
        for alias in ALIASES[1:] if old else ():
            model._base_manager.using(alias).update(**old)


def blacklisted():
    return BlacklistedToken.objects.using("default").select_related("token")


# The rows are there, but the replicas have old ones: of before the user was activated, or the
# tokens were renewed, or the password was changed.
yesterday = timezone.now() - timedelta(days=1)
for name, old in {
    "activated": {"is_active": False},
    "renewed": {"expiry": yesterday, "expires": yesterday},
}.items():
    stale(**old)
    scenes[name] = words(verdicts(tokens))
    scenes[f"{name}, sweep"] = words(site_authenticator().chain.revalidate(held))
    replicate()
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.create()
stale(password="another")
scenes["new password"] = words([site_authenticator().authenticate_session(session.session_key)])
replicate()
# A refresh token of which only the primary knows.
refresh = RefreshToken.for_user(user)
SimpleJWTBackend().revoke_user(user.pk, except_token_id=None, issued_before=None)
scenes["blacklisted"] = [each.token.jti == refresh["jti"] for each in blacklisted()]
# Another one, by its id.
refresh = RefreshToken.for_user(user)
token = Authentication(backend="simplejwt", token_id=refresh["jti"], location=Location.HEADER)
scenes["blacklisted by id"] = [
    *SimpleJWTBackend().revoke([Grant(user_pk=user.pk, authentication=token)]),
    blacklisted().filter(token__jti=refresh["jti"]).exists(),
]


def fail(*_):
    raise OperationalError


# A replica fails for good: reads that go to the other one must still succeed.
connections["first"].execute_wrappers.append(fail)
scenes["one fails"] = [words(verdicts(tokens[:1])) for _ in range(4)][1::2]
connections["first"].execute_wrappers.clear()
scenes["before"] = []
revoke_user(user, issued_before=datetime.now(UTC) - timedelta(days=1))
scenes["spared"] = [model.objects.using("default").count() for model in ROWS]
revoke_token(tokens[0])
scenes["one revoked"] = [model.objects.using("default").count() for model in ROWS]
revoke_user(user, issued_before=datetime.now(UTC) + timedelta(minutes=1))
scenes["all revoked"] = [model.objects.using("default").count() for model in ROWS]
sys.stdout.write(json.dumps(scenes))
