"""Run inside a site that is made of a page's snippets: prints what its visitors meet, as JSON."""

import asyncio
import json
import sys

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - after the setup
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from shop.models import ApiKey  # noqa: E402
from shop.tokens import ApiKeyBackend, RevocableApiKeyBackend  # noqa: E402

from channels_token_auth import Credential, Grant, Location, Secret  # noqa: E402
from channels_token_auth.middleware import TokenAuthMiddlewareStack  # noqa: E402
from channels_token_auth.testing import TokenWebsocketCommunicator  # noqa: E402


class Consumer(AsyncWebsocketConsumer):
    async def connect(self):
        await self.accept()
        auth = self.scope["auth"]
        await self.send(json.dumps([self.scope["user"].username, auth.backend, auth.token_id]))


async def visit(key):
    """Return the consumer's message to a client with this key, or the close code of its refusal."""
    visitor = TokenWebsocketCommunicator(
        TokenAuthMiddlewareStack(Consumer.as_asgi(), verified_cache_seconds=0),
        "/",
        token=key,
        location="first_message",
    )
    is_connected, code = await visitor.connect(timeout=60)
    if not is_connected:
        return code
    said = await visitor.receive_json_from(timeout=60)
    await visitor.disconnect(timeout=60)
    return said


def held(user, key):
    """Return the grant of a socket with this key."""
    token = Credential(location=Location.HEADER, secret=Secret(key))
    (verdict,) = ApiKeyBackend().authenticate([token])
    return Grant(user_pk=user.pk, authentication=verdict.authentication)


def meet(key):
    return asyncio.run(visit(key))


call_command("migrate", verbosity=0, run_syncdb=True)
call_command("check", fail_level="ERROR")
short, backend = ApiKeyBackend(), RevocableApiKeyBackend()
assert backend.check(None) == []
(announced,) = backend.announcements()
announcements = []
announced.signal.connect(
    lambda **values: announcements.extend(announced.tokens(**values)), announced.sender, weak=False
)
user = get_user_model().objects.create(username="ada")
key, other = ApiKey.issue(user), ApiKey.issue(user)
good = held(user, key)
token_id = good.authentication.token_id
visits = {"good": meet(key), "wrong": meet("shop_wrong"), "foreign": meet("wrong")}
visits |= {"is_row_revoked": short.revoke([good])}
visits |= {"is_user_revoked": short.revoke_user(user.pk, except_token_id=None, issued_before=None)}
backend.revoke_user(user.pk, except_token_id=token_id, issued_before=None)
visits |= {"spared": meet(key), "ended": meet(other)}
get_user_model().objects.update(is_active=False)
visits |= {"inactive": meet(key), "revalidated": backend.revalidate([good])[0].code}
visits |= {"is_ended": backend.revoke([good])}
visits |= {
    "gone": backend.revalidate([good]),
    "announced": [each.token_id for each in announcements],
}
sys.stdout.write(json.dumps(visits | {"token_id": token_id}))
