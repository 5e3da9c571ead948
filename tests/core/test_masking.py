"""A secret that is known is found in a text: whole, cut off, or in another spelling."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.redaction import MARK
from channels_token_auth.core.redaction.known import RUN, mask

KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
AWKWARD = "a'b\\c\"d/é+&%=zzzzz"


@pytest.mark.parametrize(
    "text",
    [
        f"near '{KEY}': syntax error",
        f"{KEY}",
        f"DETAIL: Key (key)=({KEY}) exists.",
        f"twice {KEY} and {KEY}",
        f"two in a row {KEY}{KEY}",
    ],
)
def test_whole_secret_is_masked_wherever_it_is(text):
    masked = mask(text, [KEY])
    assert KEY[:RUN] not in masked
    assert masked.replace(MARK, "") == text.replace(KEY, "")


@pytest.mark.parametrize("piece", [KEY[:RUN], KEY[-RUN:], KEY[5:30], "x" + KEY[:20] + "…"])
def test_piece_of_a_secret_is_masked(piece):
    assert KEY[8:18] not in mask(f"value {piece} too long", [KEY])
    assert MARK in mask(f"value {piece} too long", [KEY])


@pytest.mark.parametrize("spell", [str, repr, json.dumps, lambda s: quote(s, safe="")])
def test_each_spelling_is_masked(spell):
    assert "zzzzz" not in mask(f"got {spell(AWKWARD)}!", [AWKWARD])


@pytest.mark.parametrize("short", ["t", "tok", "secret9", "12345678901"])
def test_short_secret_is_masked_as_a_word(short):
    assert mask(f"a {short}: b", [short]) == f"a {MARK}: b"


def test_letter_that_is_a_secret_leaves_words_alone():
    assert mask("a test of t, t.", ["t"]) == f"a test of {MARK}, {MARK}."


def test_text_without_a_secret_stays_as_it_is():
    assert mask("no such table: authtoken_token", [KEY, "", "t-1"]) == (
        "no such table: authtoken_token"
    )


@given(secret=st.text(min_size=RUN, max_size=60), before=st.text(max_size=20), after=st.text())
def test_no_secret_survives(secret, before, after):
    assert secret not in mask(before + secret + after, [secret])


@given(text=st.text(), secrets=st.lists(st.text(max_size=30), max_size=4))
def test_masking_never_fails(text, secrets):
    mask(text, secrets)
