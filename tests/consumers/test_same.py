"""Channels' consumers and ours behave alike for clients and for channel layers."""

import asyncio
import json

import pytest
from channels.exceptions import AcceptConnection, DenyConnection, StopConsumer
from channels.generic import websocket as channels

from channels_token_auth import consumers as ours
from tests.consumers.peer import ACCEPTED, CONNECT, Peer, data, gone, says, serve, text, to_group

pytestmark = pytest.mark.parametrize("kit", [channels, ours], ids=["channels", "ours"])


def test_both_have_the_same_names(kit):
    for name in ("AsyncWebsocketConsumer", "AsyncJsonWebsocketConsumer"):
        public = {name for name in dir(getattr(channels, name)) if not name.startswith("_")}
        assert public <= set(dir(getattr(kit, name)))


async def test_default_accepts_and_takes_whatever_comes(kit):
    for plain in (kit.AsyncWebsocketConsumer, kit.AsyncJsonWebsocketConsumer):
        peer = await serve(plain, CONNECT, text("{}"), gone())
        assert (peer.sent, peer.end) == ([ACCEPTED], None)


async def test_accept_carries_subprotocol_and_headers(kit):
    class Choosy(kit.AsyncWebsocketConsumer):
        async def connect(self):
            await self.accept("chat", headers=((b"a", b"b"),))

    peer = await serve(Choosy, CONNECT, gone())
    accept = {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"a", b"b")]}
    assert peer.sent == [accept]


@pytest.mark.parametrize(
    ("decision", "answer"),
    [(AcceptConnection, ACCEPTED), (DenyConnection, {"type": "websocket.close"})],
)
async def test_exceptions_decide_on_the_handshake(kit, decision, answer):
    class Raising(kit.AsyncWebsocketConsumer):
        async def connect(self):
            raise decision

    assert (await serve(Raising, CONNECT, gone())).sent == [answer]


@pytest.mark.parametrize(
    ("arguments", "close"),
    [
        ((), {}),
        ((True,), {}),
        ((4000,), {"code": 4000}),
        ((4000, "enough"), {"code": 4000, "reason": "enough"}),
        ((0,), {"code": 0}),
    ],
)
async def test_close_carries_code_and_reason(kit, arguments, close):
    class BulkClose(kit.AsyncWebsocketConsumer):
        async def connect(self):
            await self.close(*arguments)

    assert (await serve(BulkClose, CONNECT, gone())).sent == [{"type": "websocket.close", **close}]


@pytest.mark.parametrize(
    "frame", [text("grüß"), text(""), data(b"\0"), {**data(b"b"), "text": None}]
)
async def test_frames_go_both_ways(kit, frame):
    class Echo(kit.AsyncWebsocketConsumer):
        async def receive(self, text_data=None, bytes_data=None):
            await self.send(text_data, bytes_data)

    peer = await serve(Echo, CONNECT, frame, gone())
    expected = {key: value for key, value in frame.items() if value is not None}
    assert peer.sent == [ACCEPTED, {**expected, "type": "websocket.send"}]


async def test_frame_of_nothing_is_an_error(kit):
    class Empty(kit.AsyncWebsocketConsumer):
        async def receive(self, text_data=None, bytes_data=None):
            await self.send()

    assert (await serve(Empty, CONNECT, text("x"))).end == "ValueError"


@pytest.mark.parametrize(("close", "message"), [(True, {}), (4001, {"code": 4001}), (0, None)])
async def test_last_words_close_the_socket(kit, close, message):
    class Curt(kit.AsyncJsonWebsocketConsumer):
        async def receive_json(self, content):
            await self.send_json(content, close=close)

    peer = await serve(Curt, CONNECT, text("[1]"), gone())
    closes = [] if message is None else [{"type": "websocket.close", **message}]
    assert peer.sent == [ACCEPTED, says("[1]"), *closes]


async def test_json_goes_both_ways_through_the_codec(kit):
    class Shouting(kit.AsyncJsonWebsocketConsumer):
        async def receive_json(self, content, **options):
            await self.send_json([content, options])

        async def receive(self, text_data=None, bytes_data=None):
            await super().receive(text_data, bytes_data, more=True)

        @classmethod
        async def decode_json(cls, text_data):
            return json.loads(text_data.upper())

        @classmethod
        async def encode_json(cls, content):
            return json.dumps(content, separators=(",", ":"))

    peer = await serve(Shouting, CONNECT, text('"a"'), gone())
    assert peer.sent == [ACCEPTED, says('["A",{"more":true}]')]


@pytest.mark.parametrize(
    ("frame", "end"),
    [(text("{"), "JSONDecodeError"), (text(""), "ValueError"), (data(b"1"), "ValueError")],
)
async def test_frame_that_is_no_json_ends_the_socket(kit, frame, end):
    assert (await serve(kit.AsyncJsonWebsocketConsumer, CONNECT, frame)).end == end


async def test_send_json_does_not_pass_an_own_send(kit):
    class Own(kit.AsyncJsonWebsocketConsumer):
        async def connect(self):
            await self.accept()
            await self.send_json(1)

        async def send(self, *arguments, **options):
            raise NotImplementedError

    assert (await serve(Own, CONNECT, gone())).sent == [ACCEPTED, says("1")]


async def test_disconnect_gets_the_code_once_and_the_consumer_stops(kit):
    told = []

    class Listening(kit.AsyncWebsocketConsumer):
        async def disconnect(self, code):
            told.append(code)

    assert (await serve(Listening, CONNECT, gone(4419), text("late"))).end is None
    assert told == [4419]


async def test_handler_that_raises_ends_the_socket_without_a_disconnect(kit):
    told = []

    class Failing(kit.AsyncWebsocketConsumer):
        async def receive(self, text_data=None, bytes_data=None):
            raise LookupError

        async def disconnect(self, code):
            told.append(code)

    peer = await serve(Failing, CONNECT, text("x"), text("y"))
    assert (peer.sent, peer.end, told) == ([ACCEPTED], "LookupError", [])


async def test_stop_consumer_is_a_good_end(kit):
    class Stopping(kit.AsyncWebsocketConsumer):
        async def receive(self, text_data=None, bytes_data=None):
            raise StopConsumer

    assert (await serve(Stopping, CONNECT, text("x"))).end is None


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "unknown"}, {"type": "_serve"}, {"type": ".serve"}, {"type": "__init__"}],
)
async def test_message_without_a_handler_is_an_error(kit, message):
    assert (await serve(kit.AsyncWebsocketConsumer, CONNECT, message)).end == "ValueError"


async def test_group_message_goes_to_the_handler_of_its_type(kit, layer):
    class Chat(kit.AsyncWebsocketConsumer):
        groups = ["room"]  # noqa: RUF012 - as sites write it

        async def chat_message_new(self, event):
            await self.send(event["text"])

    event = {"type": "chat.message_new", "text": "hi"}
    peer = await serve(Chat, CONNECT, to_group("room", event), to_group("room", event), gone())
    assert peer.sent == [ACCEPTED, says("hi"), says("hi")]
    assert layer.groups == {}


async def test_own_group_is_joined_by_the_channel_name(kit, layer):
    class Chat(kit.AsyncJsonWebsocketConsumer):
        async def connect(self):
            await self.channel_layer.group_add("own", self.channel_name)
            await self.accept()

        async def chat_message(self, event):
            await self.send_json(event["text"])

        async def disconnect(self, code):
            await self.channel_layer.group_discard("own", self.channel_name)

    act = to_group("own", {"type": "chat.message", "text": "hi"})
    assert (await serve(Chat, CONNECT, act, gone())).sent == [ACCEPTED, says('"hi"')]
    assert layer.groups == {}


@pytest.mark.parametrize(
    ("kind", "end"), [("raise", "LookupError"), ("stop", None), ("unknown", "ValueError")]
)
async def test_group_message_may_end_the_socket(kit, layer, kind, end):
    class Chat(kit.AsyncWebsocketConsumer):
        groups = ["room"]  # noqa: RUF012 - as sites write it

        async def chat_raise(self, event):
            raise LookupError

        async def chat_stop(self, event):
            raise StopConsumer

    act = to_group("room", {"type": f"chat.{kind}"})
    assert (await serve(Chat, CONNECT, act, text("never"))).end == end
    assert layer.reading == 0


async def test_groups_of_the_instance_count(kit, layer):
    class Chat(kit.AsyncWebsocketConsumer):
        def __init__(self, room):
            self.groups = [room]

        async def connect(self):
            await self.accept(",".join(layer.groups))

    peer = await Peer([CONNECT, gone()]).serve(Chat.as_asgi(room="attic"))
    assert peer.sent == [{**ACCEPTED, "subprotocol": "attic"}]
    assert layer.groups == {}


@pytest.mark.parametrize("backend", [None, "tests.consumers.test_same.Groupless"])
async def test_groups_without_a_layer_for_them_are_an_error(kit, settings, backend):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend}} if backend else {}

    class Chat(kit.AsyncWebsocketConsumer):
        groups = ["room"]  # noqa: RUF012 - as sites write it

    assert (await serve(Chat, CONNECT)).end == "InvalidChannelLayerError"


class Groupless:
    async def new_channel(self):
        return "specific!1"

    async def receive(self, channel):
        await asyncio.get_running_loop().create_future()


async def test_another_layer_is_taken_by_its_alias(kit, settings):
    backend = settings.CHANNEL_LAYERS["default"]
    settings.CHANNEL_LAYERS = {"other": backend}

    class Other(kit.AsyncWebsocketConsumer):
        channel_layer_alias = "other"

        async def connect(self):
            await self.accept(type(self.channel_layer).__name__)

    peer = await serve(Other, CONNECT, gone())
    assert [message["subprotocol"] for message in peer.sent] == ["Layer"]


async def test_dispatch_may_be_overridden(kit):
    seen = []

    class Logging(kit.AsyncWebsocketConsumer):
        async def dispatch(self, message):
            seen.append(message["type"])
            await super().dispatch(message)

    await serve(Logging, CONNECT, text("x"), gone())
    assert seen == ["websocket.connect", "websocket.receive", "websocket.disconnect"]


async def test_base_send_takes_any_message_of_asgi(kit):
    class Denying(kit.AsyncWebsocketConsumer):
        async def connect(self):
            await self.base_send({"type": "websocket.http.response.start", "status": 401})

    peer = await serve(Denying, CONNECT, gone())
    assert [message["status"] for message in peer.sent] == [401]


async def test_scope_is_the_connections_own(kit):
    class Path(kit.AsyncWebsocketConsumer):
        async def connect(self):
            await self.accept(self.scope["path"])

    peer = await serve(Path, CONNECT, gone(), path="/here/")
    assert peer.sent[0]["subprotocol"] == "/here/"


async def test_application_knows_its_class_and_arguments(kit):
    class Named(kit.AsyncWebsocketConsumer):
        """A documented consumer."""

    application = Named.as_asgi(room="attic")
    assert application.consumer_class is Named
    assert application.consumer_initkwargs == {"room": "attic"}
    assert (application.__name__, application.__doc__) == ("Named", "A documented consumer.")
