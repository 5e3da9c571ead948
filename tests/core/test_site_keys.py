"""Names and signatures of one site mean nothing to another one, and survive a rotation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.site_keys import SIGNATURE, SiteKeys

OURS = SiteKeys.derive(b"ours")
THEIRS = SiteKeys.derive(b"theirs")
OLD, PREPARED, SWITCHED = (
    SiteKeys.derive(b"old"),
    SiteKeys.derive(b"old", [b"new"]),
    SiteKeys.derive(b"new", [b"old"]),
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)  # fmt: skip
messages = st.dictionaries(st.text(), plain)


def test_name_is_the_same_for_one_site_and_differs_for_another():
    assert OURS.name("ticket", "a") == SiteKeys.derive(b"ours").name("ticket", "a")
    assert OURS.name("ticket", "a") != THEIRS.name("ticket", "a")


@pytest.mark.parametrize(
    "other", [("denied", "a"), ("ticket", "b"), ("ticket",), ("ticket", "a", None)]
)
def test_name_depends_on_the_purpose_and_on_every_part(other):
    assert OURS.name(*other) != OURS.name("ticket", "a")


@pytest.mark.parametrize("parts", [("a", "bc"), ("abc",), ("", "abc"), (None, "abc"), ("abc", "")])
def test_parts_are_not_run_together(parts):
    assert OURS.name("ticket", *parts) != OURS.name("ticket", "ab", "c")


def test_name_and_repr_show_nothing_of_the_secret():
    assert b"ours".hex() not in OURS.name("ticket", "a")
    assert "ours" not in repr(OURS)


@given(messages)
def test_signed_message_is_verified_after_its_travel_and_by_its_own_site_only(message):
    signed = OURS.sign("message", message)
    travelled = json.loads(json.dumps(signed))
    assert OURS.verify("message", travelled)
    assert not OURS.verify("another purpose", travelled)
    assert not THEIRS.verify("message", travelled)


@pytest.mark.parametrize(
    "change", [{"over": 1}, {"more": None}, {SIGNATURE: None}, {SIGNATURE: "é"}, {SIGNATURE: ""}]
)
def test_changed_message_is_not_verified(change):
    assert not OURS.verify("message", OURS.sign("message", {"over": 30}) | change)


@pytest.mark.parametrize("message", [{}, {"a": {1, 2}}, {"a": float("nan")}, {"a": b"bytes"}])
def test_message_that_nobody_signed_is_not_verified_and_raises_nothing(message):
    assert not OURS.verify("message", message)
    assert not OURS.verify("message", message | {SIGNATURE: "0" * 64})


def test_message_that_is_nested_too_deeply_is_not_verified():
    """Another site, or whoever can write to the layer, chooses how deep it is."""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert not OURS.verify("message", {"a": deep, SIGNATURE: "0" * 64})


@pytest.mark.parametrize(
    ("writer", "reader"),
    [(OLD, PREPARED), (PREPARED, OLD), (PREPARED, SWITCHED), (SWITCHED, PREPARED)],
)
def test_nodes_understand_each_other_in_every_step_of_a_rotation(writer, reader):
    assert reader.verify("message", writer.sign("message", {"kind": "end"}))
    assert writer.name("ticket", "a") in reader.names("ticket", "a")
