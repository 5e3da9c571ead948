"""React Native's client of the docs waits, refreshes and ends as PROTOCOL.md requires."""

import json
import re

import pytest

from tests.client.node import node
from tests.docs.pages import snippets

# A WebSocket whose server sends the frames of one life to each handshake, and then closes it.
# Waits are over at once; what happens is printed.
WORLD = """
const happened = [];
const [lives, tokens] = JSON.parse(process.argv[1]);
const later = globalThis.setTimeout;
globalThis.setTimeout = (act, wait, ...rest) => {
  if (wait !== 15_000) return later(() => { happened.push(["wait", wait > 0]); act(...rest); }, 0);
};
globalThis.WebSocket = class {
  constructor(url, protocols, { headers }) {
    happened.push(["token", headers.Authorization]);
    later(() => {
      const [frames, code] = lives.shift() ?? [[], 4403];
      for (const frame of frames) this.onmessage({ data: JSON.stringify(frame) });
      this.onclose({ code });
    }, 0);
  }
  close() { happened.push(["close"]); }
};
const getToken = async ({ fresh }) => {
  happened.push(["ask", fresh]);
  const token = tokens.shift();
  if (token === "fails") throw new Error("offline");
  return token;
};
const socket = connect("wss://example.com/", getToken, {
  onMessage: (message) => {
    happened.push(["message", message]);
    if (message === "close") socket.close();
  },
  onSignedOut: (code) => happened.push(["signed out", code]),
});
process.on("exit", () => console.log(JSON.stringify(happened)));
"""
OK = {"type": "auth.ok", "expires_in": None, "user_id": "7"}


def live(lives, tokens):
    """Return what happens in these lives, with the answers of `getToken`."""
    main, codes = snippets("docs/how-to/front-ends/react-native.md", "js")
    page = re.sub(r"^import .*$|^export ", "", f"{codes}\n{main}", flags=re.MULTILINE)
    return json.loads(node("--eval", page + WORLD, json.dumps([lives, tokens])))


def parts(happened, name):
    return [rest[0] for what, *rest in happened if what == name]


def test_it_asks_again_after_a_token_that_could_not_be_fetched():
    happened = live([[[OK], 4403]], ["fails", "ada"])
    assert happened[:4] == [["ask", False], ["wait", True], ["ask", False], ["token", "Bearer ada"]]


@pytest.mark.parametrize("code", [4401, 4410])
def test_it_tries_another_token_once(code):
    happened = live([[[OK], code], [[], code]], ["ada", "next"])
    assert parts(happened, "ask") == [False, True]
    assert parts(happened, "token") == ["Bearer ada", "Bearer next"]
    assert happened[-1] == ["signed out", code]


@pytest.mark.parametrize("answer", ["ada", None])
def test_user_without_another_token_is_signed_out_with_the_code(answer):
    happened = live([[[OK], 4410]], ["ada", answer])
    assert parts(happened, "token") == ["Bearer ada"]
    assert happened[-1] == ["signed out", 4410]


def test_token_that_expires_twice_signs_out():
    happened = live([[[], 4419], [[], 4419]], ["ada", "ada", "ada"])
    assert parts(happened, "token") == ["Bearer ada", "Bearer ada"]
    assert happened[-1] == ["signed out", 4419]


def test_expiry_reconnects_at_once_and_a_lost_connection_after_a_wait():
    happened = live([[[OK], 4419], [[], 1006]], ["ada", "next", "next"])
    assert parts(happened, "wait") == [False, True]
    assert parts(happened, "ask") == [False, True, False]


def test_frames_of_the_application_arrive_whatever_their_type():
    frames = [{"type": "auth.login"}, {"type": None}, None, 1, "hello"]
    assert parts(live([[[OK, *frames], 4403]], ["ada"]), "message") == frames


def test_nothing_happens_after_close():
    happened = live([[[OK, "close"], 4410]], ["ada"])
    assert happened[-1] == ["close"]
