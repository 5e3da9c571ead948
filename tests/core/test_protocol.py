"""PROTOCOL.md says what the tables, the vectors and the code say."""

import ast
import json
import re

from channels_token_auth.core.lifecycle.messages import read_control
from tests.docs.pages import ROOT, links, read, table

PROTOCOL = "spec/PROTOCOL.md"
SERVER = json.loads(read("spec/vectors/messages.json"))["server"]


def frames(speaker):
    """The control frames of one side in the specification's conversations."""
    return re.findall(rf'^{speaker}: (\{{"type":"auth.*\}})$', read(PROTOCOL), re.MULTILINE)


def setting(name):
    """Return a default as the page on settings has it, which is generated from the code."""
    _, _, described = read("docs/reference/settings.md").partition(f"## `{name}`\n")
    return ast.literal_eval(re.search(r"^Default: `(.*?)`", described, re.MULTILINE)[1])


def shape(message):
    return message["type"], frozenset(message)


def test_specification_has_the_default_locations():
    defaults = [location for location, *_, state in table(PROTOCOL, "location") if state == "on"]
    assert defaults == list(setting("LOCATIONS"))


def test_specification_has_the_defaults_of_the_settings_it_names():
    named = re.findall(r"`([A-Z_]+)`\s(\d+|none)", read(PROTOCOL))
    written = {name: ast.literal_eval(value.capitalize()) for name, value in named}
    assert len(written) == 5
    assert written == {name: setting(name) for name in written}


def test_every_file_of_the_specification_is_introduced():
    there = {path for path in (ROOT / "spec").rglob("*") if path.is_file()}
    there = {path for path in there if "__pycache__" not in path.parts}
    introduced = {(ROOT / "spec" / link).resolve() for link in links("spec/README.md")}
    assert there - {ROOT / "spec" / "README.md"} <= introduced


def test_specification_describes_every_message():
    described = re.findall(r"^### `(auth[.a-z]*)`", read(PROTOCOL), re.MULTILINE)
    written = {case["message"]["type"] for case in SERVER}
    assert sorted(described) == sorted(written | {"auth", "auth.ping"})


def test_conversations_of_the_specification_hold_messages_that_exist():
    shapes = {shape(case["message"]) for case in SERVER}
    assert {shape(json.loads(frame)) for frame in frames("S")} == shapes
    assert all(read_control(frame, max_token_bytes=4096) for frame in frames("C"))
