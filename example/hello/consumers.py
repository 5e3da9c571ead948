"""Answer the one command that the tutorial has, and everything else with an error."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer

__all__ = ["HelloConsumer"]

SAY_HELLO = "Say hello !"


class HelloConsumer(AsyncWebsocketConsumer):
    """Answer each frame with one JSON object. The middleware has authenticated the client."""

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=json.dumps(answer(text_data)))


def answer(text):
    """Return the reply to one frame (None: a binary one). The tutorial spells the keys so."""
    if text is None:
        return {"error": "Send text frames, not binary ones."}
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):  # the latter: brackets nested by the thousand
        return {"error": "This is not JSON."}
    if not isinstance(request, dict):
        return {"error": "Send a JSON object."}
    if request.get("command") != SAY_HELLO:
        return {"error": f'The only command is "{SAY_HELLO}".'}
    if not isinstance(request.get("data_string"), str):
        return {"error": 'The key "data_string" must hold a text.'}
    return {
        "command_response": "The command to say hello was received ",
        "data_string_bacK": request["data_string"],
    }
