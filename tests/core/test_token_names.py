"""The name of a token: what leaves the process in place of a text that may be a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.token_names import (
    NamedToken,
    has_shape_of_id,
    is_same_token,
    token_name,
)

UUID = "0c6e7b1e-4a0b-4f0c-9b62-1b7f0a6d9c11"
IDS = ["0" * 32, UUID, UUID.upper()]
ANY_TEXTS = ["trrtcc:" + UUID, "login-42-device-7", "V2_3141592-at_1", "F" * 32, "0" * 31, "", "7"]


@pytest.mark.parametrize("text", IDS)
def test_id_by_its_shape_is_its_own_name(text):
    assert has_shape_of_id(text)
    assert token_name(text) == text


@pytest.mark.parametrize("text", ANY_TEXTS)
def test_name_of_any_other_text_is_its_digest(text):
    assert not has_shape_of_id(text)
    assert token_name(text) == Secret(text).digest
    assert is_same_token(text, Secret(text).digest)


def test_integer_key_of_a_row_has_the_name_of_its_text():
    assert token_name(7) == token_name("7")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_name_is_its_own_name(text):
    assert token_name(token_name(text)) == token_name(text)
    assert is_same_token(text, token_name(text))
    assert not is_same_token(text, f"{text}-")


def test_token_without_an_origin_includes_that_of_each():
    named, known = NamedToken(token_id="t"), NamedToken(token_id="t", backend="jwt", issuer="a")
    assert named.includes(known)
    assert not known.includes(named)
    assert not named.is_of(None, backend=None, issuer=None)
