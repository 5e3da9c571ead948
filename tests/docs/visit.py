"""Run inside a site that is made of README's snippets: prints what its visitors meet, as JSON."""

import asyncio
import json
import sys

from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from mysite.asgi import application
from rest_framework.authtoken.models import Token


async def visit(headers=(), subprotocols=()):
    """The first messages that a handshake brings, without `auth.*`, and the consumer's end."""
    scope = {
        "type": "websocket",
        "path": "/chat/",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
        "query_string": b"",
        "subprotocols": list(subprotocols),
    }
    visitor = ApplicationCommunicator(application, scope)
    await visitor.send_input({"type": "websocket.connect"})
    answer = []
    while len(answer) < 2:
        message = await visitor.receive_output(timeout=5)
        if '"type":"auth.' not in message.get("text", ""):
            answer.append(message)
    await visitor.send_input({"type": "websocket.disconnect", "code": 1000})
    await visitor.wait(timeout=5)
    return answer


async def main(key, offer):
    subprotocols = eval(offer, {"token": key})
    return {
        "Token": await visit([("authorization", f"Token {key}")]),
        "Bearer": await visit([("authorization", f"Bearer {key}")]),
        "subprotocol": await visit([("origin", "http://localhost")], subprotocols),
        "wrong": await visit([("origin", "http://localhost"), ("authorization", "Token wrong")]),
    }


call_command("migrate", verbosity=0)
user = get_user_model().objects.create_user("alice")
key = Token.objects.create(user=user).key
visits = asyncio.run(main(key, sys.argv[1]))
client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Token {key}"})
visits["ticket"] = client.post("/auth/ticket/").json()
visits["check"] = client.get("/auth/check/").json()
sys.stdout.write(json.dumps({"key": key, "visits": visits}))
