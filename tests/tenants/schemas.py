"""A site with django-tenants on a real PostgreSQL, as a program: two tenants with a user 1 each.

Prints JSON: what happens to each token and socket of the two tenants.
"""

import asyncio
import json
import sys
import time

import django
from django.conf import settings
from django.urls import include, path

from tests.plugins.measure import save_at_exit

save_at_exit()
OURS = "channels_token_auth"
SHARED_APPS = ["django_tenants", "tests.tenants.organizations", OURS]
TENANT_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework.authtoken"]
SECRET = "s" * 32

settings.configure(
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    DATABASES={
        "default": {**json.loads(sys.argv[1]), "ENGINE": "django_tenants.postgresql_backend"}
    },
    DATABASE_ROUTERS=["django_tenants.routers.TenantSyncRouter"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[*SHARED_APPS, *TENANT_APPS],
    MIDDLEWARE=["django_tenants.middleware.main.TenantMainMiddleware"],
    ROOT_URLCONF="__main__",
    SECRET_KEY="k" * 50,
    SHARED_APPS=SHARED_APPS,
    TENANT_APPS=TENANT_APPS,
    TENANT_MODEL="organizations.Organization",
    TENANT_DOMAIN_MODEL="organizations.Domain",
    USE_TZ=True,
    CHANNELS_TOKEN_AUTH={
        "BACKENDS": [
            {"BACKEND": f"{OURS}.backends.drf.DRFTokenBackend"},
            {
                "BACKEND": f"{OURS}.backends.jwt.JWTBackend",
                "OPTIONS": {
                    "algorithms": ["HS256"],
                    "key": SECRET,
                    "audience": "site",
                    "labels": ["tenant"],
                },
            },
        ],
        "IDENTITY_PROVIDERS": [
            {
                "ISSUER": "https://sso.test",
                "AUDIENCE": "web",
                "KEY": SECRET,
                "ALGORITHMS": ["HS256"],
                "BACKENDS": ["jwt"],
                "ENDPOINTS": ["backchannel-logout"],
            }
        ],
        "SWEEP_INTERVAL": 1,
        "TENANTS": f"{OURS}.tenants.schemas.SchemaTenants",
    },
)
urlpatterns = [path("auth/", include(f"{OURS}.urls"))]
django.setup()

import jwt  # noqa: E402 - Django had to be set up
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from channels_token_auth import connections, revoke_user  # noqa: E402
from channels_token_auth.middleware import TokenAuthMiddlewareStack  # noqa: E402
from tests.connection.server import ACCEPT, CONNECT, Server, scope  # noqa: E402
from tests.tenants.organizations.models import Domain, Organization  # noqa: E402

NAMES = ("acme", "globex")


async def site(scope, receive, send):
    await receive()
    await send(ACCEPT)
    users.append((scope["user"].username, scope["auth"].tenant))
    while (await receive())["type"] != "websocket.disconnect":
        pass


application = TokenAuthMiddlewareStack(site)
users, sockets = [], []


class Socket:
    """A client's socket at the host of a tenant."""

    def __init__(self, tenant, token=None, *, scheme="Token", ticket=None, proxy=None):
        host = f"{tenant}.example.com:8000".encode()
        headers = [(b"x-forwarded-host", host), (b"host", proxy)] if proxy else [(b"host", host)]
        if token:
            headers.append((b"authorization", f"{scheme} {token}".encode()))
        query = f"ticket={ticket}".encode() if ticket else b""
        self.server = Server(CONNECT)
        scope_ = scope(headers=headers, query_string=query)
        self.task = asyncio.create_task(application(scope_, self.server.receive, self.server.send))
        sockets.append(self)

    async def answer(self):
        await until(lambda: self.server.sent)
        return self.server.sent[0]["type"].removeprefix("websocket.")

    async def close_code(self):
        await until(lambda: self.closes)
        return self.closes[0]

    @property
    def closes(self):
        return [m["code"] for m in self.server.sent if m["type"] == "websocket.close"]


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


def in_schema(tenant, function, *arguments):
    """Call the function as a view of this tenant would be, in another thread."""

    def call():
        with schema_context(tenant):
            return function(*arguments)

    return asyncio.to_thread(call)


def set_up():
    call_command("migrate_schemas", shared=True, verbosity=0)
    keys = {}
    for name in NAMES:
        tenant = Organization.objects.create(schema_name=name, name=name)
        Domain.objects.create(domain=f"{name}.example.com", tenant=tenant, is_primary=True)
        with schema_context(name):
            keys[name] = Token.objects.create(user=User.objects.create(username=f"{name}-1")).key
            user = User.objects.create(username=f"{name}-2")
            keys[f"{name} 2"] = Token.objects.create(user=user).key
            user = User.objects.create(username=f"{name}-3")
            keys[f"{name} 3"] = Token.objects.create(user=user).key
    return keys


def stateless(tenant=None, **given):
    claims = {"sub": "1", "aud": "site", "exp": 2**33, "jti": "1"} | given
    return jwt.encode(claims | ({"tenant": tenant} if tenant else {}), SECRET, "HS256")


def get(tenant, key, method="get", name="check", *, scheme="Token"):
    client = Client()
    url = f"/auth/{name}/"
    headers = {"HTTP_HOST": f"{tenant}.example.com", "HTTP_AUTHORIZATION": f"{scheme} {key}"}
    answer = getattr(client, method)(url, **headers)
    return [answer.status_code, answer.json()]


def logout_token(jti):
    """Return the provider's logout token for any tenant: each of them has a session s1."""
    now = int(time.time())
    times = {"iat": now, "exp": now + 60}
    claims = {"iss": "https://sso.test", "aud": "web", "sub": "3", "sid": "s1", "jti": jti, **times}
    events = {"http://schemas.openid.net/event/backchannel-logout": {}}
    headers = {"typ": "logout+jwt"}
    return jwt.encode(claims | {"events": events}, SECRET, "HS256", headers=headers)


def log_out(tenant, token):
    """Post a logout token to the tenant's host, and return the status of the answer."""
    path = "/auth/backchannel-logout/"
    kind, host = "application/x-www-form-urlencoded", f"{tenant}.example.com"
    data = f"logout_token={token}"
    return Client().post(path, data=data, content_type=kind, HTTP_HOST=host).status_code


def rotate():
    """Replace the token of user 3, as a view does that issues a fresh one."""
    with transaction.atomic():
        Token.objects.get(user_id=3).delete()
        Token.objects.create(user_id=3)


async def of_one_tenant(keys):
    """Return what happens in acme, and must not in globex, where ids and sessions are equal."""
    a, b = NAMES
    found = {}
    # The same JWT id and user in both.
    bearer = [(host, stateless(host)) for host in [*[a] * 9, b]]
    found["tickets"] = [
        (await asyncio.to_thread(get, host, token, "post", "ticket", scheme="Bearer"))[0]
        for host, token in bearer
    ]
    session = {"sub": "3", "sid": "s1", "iat": int(time.time()) - 9, "iss": "https://sso.test"}
    logins = [Socket(name, stateless(name, **session), scheme="Bearer") for name in NAMES]
    found["logins"] = [await each.answer() for each in logins]
    first, second = logout_token("1"), logout_token("2")
    found["logout"] = [await asyncio.to_thread(log_out, host, first) for host in (a, b)]
    found["logged out"] = [await logins[0].close_code(), logins[1].closes]
    found["logout of b"] = await asyncio.to_thread(log_out, b, second)
    found["logged out of b"] = await logins[1].close_code()
    third = [Socket(name, keys[f"{name} 3"]) for name in NAMES]
    found["third"] = [await each.answer() for each in third]
    await in_schema(a, rotate)
    found["replaced"] = [await third[0].close_code(), third[1].closes]
    key = await in_schema(a, lambda: Token.objects.get(user_id=3).key)
    third[0] = Socket(a, key)
    found["again"] = await third[0].answer()
    await in_schema(a, lambda: revoke_user(3, margin=0.5))
    found["margin"] = [await third[0].close_code(), third[1].closes]
    return found


async def main(keys):
    a, b = NAMES
    found = {}
    # In one batch: each token at each host.
    batch = [Socket(host, keys[owner]) for _ in range(5) for owner in NAMES for host in NAMES]
    batch.append(Socket("nowhere", keys[a]))
    found["batch"] = [await each.answer() for each in batch]
    found["users"] = sorted(set(users))
    found["stateless"] = [
        await Socket(host, stateless(named), scheme="Bearer").answer()
        for host, named in ((a, a), (b, a), (a, None))
    ]
    # Tickets.
    status, body = await asyncio.to_thread(get, a, keys[a], "post", "ticket")
    _, other = await asyncio.to_thread(get, a, keys[a], "post", "ticket")
    found["ticket"] = [
        status,
        await Socket(b, ticket=body["ticket"]).answer(),
        await Socket(a, ticket=other["ticket"]).answer(),
    ]
    found["check"] = [(await asyncio.to_thread(get, host, keys[a]))[0] for host in NAMES]
    found["listed"] = [(await in_schema(name, connections)).total for name in NAMES]
    # A sweep finds what no signal announced: user 2 of acme only.
    second = [Socket(name, keys[f"{name} 2"]) for name in NAMES]
    found["second"] = [await each.answer() for each in second]
    await in_schema(a, lambda: Token.objects.filter(user_id=2)._raw_delete("default"))
    found["swept"] = [await second[0].close_code(), second[1].closes]
    found |= await of_one_tenant(keys)
    found["not believed"] = await Socket(a, keys[a], proxy=b"10.0.0.1").answer()
    settings.USE_X_FORWARDED_HOST = True
    forwarded = [Socket(name, keys[a], proxy=b"globex.example.com") for name in NAMES]
    found["forwarded"] = [await each.answer() for each in forwarded]
    settings.USE_X_FORWARDED_HOST = False
    # A revocation of user 1 of acme.
    await in_schema(a, revoke_user, 1)
    admitted = [each for each in batch if await each.answer() == "accept"]
    first, still = admitted[::2], admitted[1::2]
    found["revoked"] = [await each.close_code() for each in first]
    found["still open"] = [each.closes for each in still]
    found["denied"] = [
        await Socket(host, stateless(host), scheme="Bearer").answer() for host in NAMES
    ]
    # A signal: the token of user 1 of globex is deleted.
    await in_schema(b, lambda: Token.objects.get(user_id=1).delete())
    found["deleted"] = [await each.close_code() for each in still]
    found["second at the end"] = second[1].closes
    for each in sockets:
        each.server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.gather(*(each.task for each in sockets))
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(set_up()))))
