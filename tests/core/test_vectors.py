"""The specification's vectors, run against the core.

Other languages run the same files: what they agree on is the protocol.
"""

import json
from pathlib import Path

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Location
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.handshake.extraction import extract
from channels_token_auth.core.handshake.origin import OriginRule
from channels_token_auth.core.handshake.policy import Policy
from channels_token_auth.core.identity import UserKey
from channels_token_auth.core.lifecycle import (
    Abandon,
    Close,
    Lifecycle,
    Rules,
    Send,
    State,
    Verify,
    Warn,
)
from channels_token_auth.core.lifecycle.messages import read_control, write

SPEC = Path(__file__).parents[2] / "spec"


def load(name):
    return json.loads((SPEC / "vectors" / f"{name}.json").read_text())


def each(cases):
    return [pytest.param(case, id=case["name"]) for case in cases]


EXTRACTION, MESSAGES, LIFECYCLE = load("extraction"), load("messages"), load("lifecycle")
CLIENT = load("client")


# -- Extraction


def policy(changes):
    given = EXTRACTION["policy"] | changes
    exact = given.pop("allowed_origins")
    return Policy(
        locations=frozenset(Location(name) for name in given.pop("locations")),
        origins=OriginRule(
            hosts=tuple(given.pop("allowed_hosts")),
            exact=None if exact is None else frozenset(exact),
        ),
        schemes=frozenset(given.pop("schemes")),
        **given,
    )


def presented(credential):
    if credential is None:
        return None
    shown = {"location": credential.location, "token": credential.secret.reveal()}
    return shown | ({"scheme": credential.scheme} if credential.scheme else {})


@pytest.mark.parametrize("case", each(EXTRACTION["cases"]))
def test_handshake_is_read_as_specified(case):
    headers = [(name.encode(), value.encode("latin-1")) for name, value in case["headers"]]
    handshake = extract(
        headers, case["query"].encode(), case["subprotocols"], policy(case.get("policy", {}))
    )
    left = {
        "headers": [[name.decode(), value.decode("latin-1")] for name, value in handshake.headers],
        "query": handshake.query_string.decode(),
        "subprotocols": handshake.subprotocols,
    }
    assert presented(handshake.credential) == case["credential"]
    assert (handshake.problem, handshake.is_hostile) == (case["problem"], case["hostile"])
    assert left == {part: case[part] for part in left} | case["left"]


# -- Messages


def awaiting(rules):
    lifecycle = Lifecycle(rules)
    lifecycle.await_credential(0)
    return lifecycle


def authenticated(rules):
    lifecycle = Lifecycle(rules)
    lifecycle.present()
    lifecycle.admit("7", None, 0)
    lifecycle.accept(speaks=True, now=0)
    return lifecycle


def verdict(outputs):
    """Return the verdict on a frame, in the words of the vectors."""
    match outputs:
        case None:
            return "application"
        case [Verify(secret)]:
            return {"token": secret.reveal()}
        case [Send(text)] if json.loads(text) == {"type": "auth.pong"}:
            return "ping"
        case [Send(text), Close(code)] if json.loads(text)["code"] == code:
            return code
    pytest.fail(f"no verdict of the specification: {outputs}")


@pytest.mark.parametrize("case", each(MESSAGES["frames"]))
@pytest.mark.parametrize(("when", "start"), [("before", awaiting), ("after", authenticated)])
def test_frame_is_read_as_specified(case, when, start):
    lifecycle = start(Rules(max_token_bytes=MESSAGES["max_token_bytes"]))
    assert verdict(lifecycle.text(case["text"], 0)) == case[when]


@pytest.mark.parametrize("case", each(MESSAGES["server"]))
def test_message_of_the_server_is_one_object_and_none_of_a_client(case):
    fields = dict(case["message"])
    text = write(fields.pop("type"), **fields)
    assert json.loads(text) == case["message"]
    assert read_control(text, max_token_bytes=4096) is None


# -- Lifecycle


def judge(lifecycle, given, now):
    if "refused" in given:
        error = TokenAuthError(CloseReason(given["refused"]), given["retry_after"])
        return lifecycle.refuse(error, now)
    identity = given["user"]
    if "kind" in given:
        identity = UserKey(kind=given["kind"], key=identity)
    return lifecycle.admit(identity, given["expires_in"], now)


def begin(lifecycle, given, now):
    match given:
        case "credential":
            return lifecycle.present()
        case "no credential":
            return lifecycle.await_credential(now)
        case "anonymous":
            return lifecycle.admit(None, None, now)
    pytest.fail(f"no way to open a socket: {given}")


INPUTS = {
    "open": begin,
    "verdict": judge,
    "accept": lambda socket, given, now: socket.accept(speaks=given == "token-auth.v1", now=now),
    "text": Lifecycle.text,
    "binary": lambda socket, given, now: socket.binary(),
    "tick": lambda socket, given, now: socket.tick(now),
    "end": lambda socket, given, now: socket.end(TokenAuthError(CloseReason(given))),
    "peer_closed": lambda socket, given, now: socket.leave(),
}


def observed(step, outputs, state):
    """A step with what came of it in the place of what should have."""
    seen = {key: step[key] for key in ("at", "event", "with") if key in step} | {"state": state}
    if outputs is None and step["event"] in ("text", "binary"):
        seen["passes"] = True
    for output in outputs or ():
        assert "closes" not in seen, "nothing comes after a close"
        match output:
            case Send(text) | Warn(text):
                seen.setdefault("sends", []).append(json.loads(text))
            case Verify(secret):
                seen["verifies"] = secret.reveal()
            case Abandon():
                seen["abandons"] = True
            case Close(code):
                seen["closes"] = code
    return seen


@pytest.mark.parametrize("case", each(LIFECYCLE["sequences"]))
def test_socket_lives_as_specified(case):
    lifecycle = Lifecycle(Rules(**LIFECYCLE["rules"] | case.get("rules", {})))
    for step in case["steps"]:
        outputs = INPUTS[step["event"]](lifecycle, step.get("with"), step["at"])
        assert observed(step, outputs, lifecycle.state) == step


# -- What the vectors must hold


def test_vectors_reach_every_state_and_every_event():
    steps = [step for case in LIFECYCLE["sequences"] for step in case["steps"]]
    assert {step["state"] for step in steps} | {State.CONNECTING} == set(State)
    assert {step["event"] for step in steps} == set(INPUTS)


def test_clients_of_the_vectors_meet_every_close_code():
    steps = [step for case in CLIENT["sequences"] for step in case["steps"]]
    met = {step["with"]["code"] for step in steps if step["event"] == "closed"}
    met |= {done[1] for step in steps for done in step["does"] if done[0] == "end"}
    assert {code.close_code for code in CloseReason} <= met


def test_notation_of_the_client_vectors_is_explained():
    about, sequences = CLIENT["about"], CLIENT["sequences"]
    steps = [step for case in sequences for step in case["steps"]]
    assert {step["event"] for step in steps} == set(about["event"])
    assert {step["state"] for step in steps} == set(about["state"])
    assert {done[0] for step in steps for done in step["does"]} == set(about["does"])
    assert {key for case in sequences for key in case} | {*steps[1], "with"} <= set(about)
    assert all(name in about["rules"] for name in CLIENT["rules"])


def test_notation_of_the_lifecycle_vectors_is_explained():
    about, sequences = LIFECYCLE["about"], LIFECYCLE["sequences"]
    steps = [step for case in sequences for step in case["steps"]]
    assert {key for group in (sequences, steps) for item in group for key in item} <= set(about)
    assert {step["event"] for step in steps} == set(about["event"])


@pytest.mark.parametrize(
    ("vectors", "lists"), [(EXTRACTION, ["cases"]), (MESSAGES, ["frames", "server", "client"])]
)
def test_notation_of_the_vectors_is_explained(vectors, lists):
    described = str(vectors["about"])
    keys = {key for name in lists for case in vectors[name] for key in case}
    assert {key for key in keys if key not in described} == set()


def test_optional_cases_say_how_strong_their_rule_is():
    assert {case.get("optional") for case in CLIENT["sequences"]} == {None, "SHOULD", "MAY"}


def test_clients_of_the_vectors_know_every_reason():
    steps = [step for case in CLIENT["sequences"] for step in case["steps"]]
    told = {
        done[-1] for step in steps for done in step["does"] if done[0] in {"reconnecting", "end"}
    }
    assert {*CloseReason} <= told


def test_clients_of_the_vectors_send_what_a_server_reads():
    steps = [step for case in CLIENT["sequences"] for step in case["steps"]]
    sent = [done[1] for step in steps for done in step["does"] if done[0] == "send"]
    assert {message["type"] for message in sent} == {"auth", "auth.ping"}
    assert all(read_control(json.dumps(message), max_token_bytes=4096) for message in sent)


def test_vectors_find_a_credential_in_every_location_of_a_handshake():
    found = {case["credential"]["location"] for case in EXTRACTION["cases"] if case["credential"]}
    assert found == set(Location) - {Location.FIRST_MESSAGE}


@pytest.mark.parametrize(
    "cases",
    [
        EXTRACTION["cases"],
        MESSAGES["frames"],
        MESSAGES["server"],
        MESSAGES["client"],
        LIFECYCLE["sequences"],
        CLIENT["sequences"],
    ],
    ids=["handshakes", "frames", "messages", "read messages", "lives", "clients"],
)
def test_each_vector_has_a_name_of_its_own_and_a_reason(cases):
    assert len({case["name"] for case in cases}) == len(cases)
    assert all(case["why"] for case in cases)
