"""A site whose router reads a context variable: each tenant has a database of its own.

Prints JSON: what happens to each token at each tenant.
"""

import asyncio
import json
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import django
from django.conf import settings

from tests.plugins.measure import save_at_exit

save_at_exit()
OURS = "channels_token_auth"
NAMES = ("acme", "globex")
tenant_of_context = ContextVar("tenant", default=None)


class Router:
    """Whatever is read or written is the present tenant's."""

    def db_for_read(self, model, **hints):
        return tenant_of_context.get()

    db_for_write = db_for_read


settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(sys.argv[1], alias)}
        for alias in ("default", *NAMES)
    },
    DATABASE_ROUTERS=["__main__.Router"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework.authtoken",
        OURS,
    ],
    SECRET_KEY="k" * 50,
    USE_TZ=True,
    CHANNELS_TOKEN_AUTH={
        "BACKENDS": [{"BACKEND": f"{OURS}.backends.drf.DRFTokenBackend"}],
        "SWEEP_INTERVAL": 1,
        "TENANTS": "__main__.ContextTenants",
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django had to be set up
from django.core.management import call_command  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from channels_token_auth import revoke_user  # noqa: E402
from channels_token_auth.middleware import TokenAuthMiddlewareStack  # noqa: E402
from channels_token_auth.tenants import Tenants  # noqa: E402
from tests.connection.server import ACCEPT, CONNECT, Server, scope, text  # noqa: E402


@contextmanager
def tenant(name):
    token = tenant_of_context.set(name)
    try:
        yield
    finally:
        tenant_of_context.reset(token)


class ContextTenants(Tenants):
    def of_scope(self, scope):
        return tenant_of_context.get()

    def current(self):
        return tenant_of_context.get()

    def activate(self, name):
        return tenant(name)


async def site(scope, receive, send):
    await receive()
    await send(ACCEPT)
    while (await receive())["type"] != "websocket.disconnect":
        pass


inner = TokenAuthMiddlewareStack(site)


async def application(scope, receive, send):
    """Find the tenant by the path, as a site's own middleware does."""
    with tenant(scope["path"].strip("/") or None):
        await inner(scope, receive, send)


class Socket:
    """A client's socket; with a token in its header, or in its first message."""

    def __init__(self, name, key, *, is_message=False):
        headers = [] if is_message else [(b"authorization", f"Token {key}".encode())]
        events = [CONNECT]
        if is_message:
            events.append(text(json.dumps({"type": "auth", "token": key})))
        self.server = Server(*events)
        self.task = asyncio.create_task(
            application(
                scope(path=f"/{name}/", headers=headers), self.server.receive, self.server.send
            )
        )

    async def verdict(self):
        """Return True if the client is in, else the close code or the status."""
        async with asyncio.timeout(60):
            while True:
                for message in self.server.sent:
                    if message["type"] == "websocket.close":
                        return message["code"]
                    if "auth.ok" in message.get("text", ""):
                        return True
                    if message == ACCEPT:
                        return True
                await asyncio.sleep(0.01)

    async def close_code(self):
        async with asyncio.timeout(60):
            while not self.closes:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        return self.closes[0]

    @property
    def closes(self):
        return [m["code"] for m in self.server.sent if m["type"] == "websocket.close"]


def set_up():
    keys = {}
    for name in NAMES:
        call_command("migrate", database=name, verbosity=0)
        with tenant(name):
            keys[name] = Token.objects.create(user=User.objects.create(username=name)).key
    return keys


def raises_outside():
    try:
        revoke_user(1)
    except TypeError:
        return True
    return False


async def main(keys):
    a, b = NAMES
    sockets = [Socket(host, keys[owner]) for owner in NAMES for host in NAMES]
    found = {"headers": [await each.verdict() for each in sockets]}
    messages = [Socket(host, keys[a], is_message=True) for host in NAMES]
    found["messages"] = [await each.verdict() for each in messages]
    found["nowhere"] = await Socket("", keys[a]).verdict()
    found["outside"] = await asyncio.to_thread(raises_outside)

    def revoke():
        with tenant(a):
            revoke_user(1)

    await asyncio.to_thread(revoke)
    found["revoked"] = [await each.close_code() for each in (sockets[0], messages[0])]
    found["stays"] = sockets[3].closes

    def delete():
        with tenant(b):
            Token.objects.all()._raw_delete(b)

    await asyncio.to_thread(delete)
    found["swept"] = await sockets[3].close_code()
    for each in (*sockets, *messages):
        each.server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.gather(*(each.task for each in (*sockets, *messages)))
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(set_up()))))
