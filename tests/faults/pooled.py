"""A site whose database allows one connection, by Django's pool, as a program.

Prints JSON: what each handshake got, and what a query of the site's own found in between.
"""

import asyncio
import json
import sys

import django
from django.conf import settings

settings.configure(
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework.authtoken",
        "channels_token_auth",
    ],
    SECRET_KEY="k" * 50,
    USE_TZ=True,
    DATABASES={
        "default": {
            **json.loads(sys.argv[1]),
            # Whoever keeps the only connection lets the next one wait in vain.
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 1, "timeout": 20}},
        }
    },
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    CHANNELS_TOKEN_AUTH={
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
        "SWEEP_INTERVAL": 1,
        "VERIFIED_CACHE_SECONDS": 0,
        "VERIFY_TIMEOUT": 60,
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django had to be set up
from django.core.management import call_command  # noqa: E402
from django.db import close_old_connections, connections  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from channels_token_auth.middleware import TokenAuthMiddlewareStack  # noqa: E402
from channels_token_auth.observability.events import SweepFinished, subscribe  # noqa: E402
from tests.connection.server import ACCEPT, CONNECT, Server, scope  # noqa: E402


async def site(scope, receive, send):
    await receive()
    await send(ACCEPT)
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def handshake(application, key, opened):
    """Open a socket, and return the first message that the client gets."""
    server = Server(CONNECT)
    headers = [(b"authorization", f"Token {key}".encode())]
    task = asyncio.create_task(application(scope(headers=headers), server.receive, server.send))
    async with asyncio.timeout(120):
        while not server.sent:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)
    opened.append((server, task))
    return server.sent[0]["type"]


async def main(keys):
    swept = asyncio.Event()
    loop = asyncio.get_running_loop()
    found, opened, sweeps = {"handshakes": [], "users": []}, [], []
    subscribe(
        SweepFinished,
        lambda event: event.tokens and (sweeps.append(event), loop.call_soon_threadsafe(swept.set)),
    )
    application = TokenAuthMiddlewareStack(site)
    for key in keys:
        found["handshakes"].append(await handshake(application, key, opened))
        found["users"].append(await asyncio.to_thread(count_users))
    found["handshakes"] += await asyncio.gather(
        *(handshake(application, key, opened) for key in keys)
    )
    async with asyncio.timeout(120):
        await swept.wait()
    found["unavailable in the sweep"] = list(sweeps[0].unavailable)
    found["users"].append(await asyncio.to_thread(count_users))
    for server, task in opened:
        server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await task
    return found


def count_users():
    """Query as a view does: the connection goes back at the end of the request."""
    try:
        return User.objects.count()
    finally:
        close_old_connections()


call_command("migrate", verbosity=0)
tokens = [Token.objects.create(user=User.objects.create(username=name)).key for name in "abc"]
connections.close_all()
print(json.dumps(asyncio.run(main([*tokens, "0" * 40]))))
