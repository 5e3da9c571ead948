"""Run inside a site that is made of README's snippets: prints what its visitors meet, as JSON."""

import asyncio
import json
import sys

from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.core.management import call_command
from mysite.asgi import application
from rest_framework.authtoken.models import Token


async def visit(headers=(), subprotocols=()):
    """The first two messages that a handshake brings, and the consumer's end."""
    scope = {
        "type": "websocket",
        "path": "/chat/",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "query_string": b"",
        "subprotocols": list(subprotocols),
    }
    visitor = ApplicationCommunicator(application, scope)
    await visitor.send_input({"type": "websocket.connect"})
    answer = [await visitor.receive_output(timeout=5) for _ in range(2)]
    await visitor.send_input({"type": "websocket.disconnect", "code": 1000})
    await visitor.wait(timeout=5)
    return answer


async def main(key, offer):
    subprotocols = eval(offer, {"token": key})
    return {
        "Token": await visit([("authorization", f"Token {key}")]),
        "Bearer": await visit([("authorization", f"Bearer {key}")]),
        "subprotocol": await visit([("origin", "http://localhost")], subprotocols),
        "nothing": await visit([("origin", "http://localhost")]),
    }


call_command("migrate", verbosity=0)
user = get_user_model().objects.create_user("alice")
key = Token.objects.create(user=user).key
sys.stdout.write(json.dumps({"key": key, "visits": asyncio.run(main(key, sys.argv[1]))}))
