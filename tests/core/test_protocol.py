"""PROTOCOL.md says what the tables, the vectors and the code say."""

import json
import re

from channels_token_auth.core.messages import read_control
from tests.docs.papers import read, table

PROTOCOL = "spec/PROTOCOL.md"
CLIENT = {"stops": "stop", "log in": "login", "fresh token": "refresh", "backs off": "back_off"}
SERVER = json.loads(read("spec/vectors/messages.json"))["server"]


def frames(speaker):
    """The control frames of one side in the specification's conversations."""
    return re.findall(rf'^{speaker}: (\{{"type":"auth.*\}})$', read(PROTOCOL), re.MULTILINE)


def http_answer(row):
    return f"{row['http_status'] or '–'} {row['challenge'] or ''}".strip()


def shape(message):
    return message["type"], frozenset(message)


def test_specification_has_the_table_of_close_codes():
    codes = json.loads(read("spec/close_codes.json"))["codes"]
    specified = [
        [str(row["close_code"]), row["slug"], http_answer(row), row["client"]] for row in codes
    ]
    written = [
        [code, slug, http, CLIENT[client]]
        for code, slug, http, _, client in table(PROTOCOL, "code")
    ]
    assert written == specified


def test_specification_describes_every_message():
    described = re.findall(r"^### `(auth[.a-z]*)`", read(PROTOCOL), re.MULTILINE)
    written = {case["message"]["type"] for case in SERVER}
    assert sorted(described) == sorted(written | {"auth", "auth.ping"})


def test_conversations_of_the_specification_hold_messages_that_exist():
    shapes = {shape(case["message"]) for case in SERVER}
    assert {shape(json.loads(frame)) for frame in frames("S")} == shapes
    assert all(read_control(frame, max_token_bytes=4096) for frame in frames("C"))
