"""The one error: a code for machines, a sentence for people."""

import copy
import pickle

import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.errors import TokenAuthError


@pytest.mark.parametrize("code", CloseReason)
def test_sentence_names_slug_and_close_code(code):
    assert str(TokenAuthError(code)) == f"{code.value} ({code.close_code})"


def test_fields_say_why_and_when_to_try_again():
    error = TokenAuthError(CloseReason.UNAVAILABLE, retry_after=5)
    assert (error.code, error.retry_after) == (CloseReason.UNAVAILABLE, 5)


def test_text_of_a_code_will_do_and_any_other_is_an_error():
    assert TokenAuthError("token_invalid").code is CloseReason.TOKEN_INVALID
    with pytest.raises(ValueError, match="no_such_code"):
        TokenAuthError("no_such_code")


def test_trying_again_does_not_help_unless_the_code_is_transient():
    assert TokenAuthError(CloseReason.TOKEN_INVALID).retry_after is None


@pytest.mark.parametrize(
    "travel",
    [
        pytest.param(copy.copy, id="copy"),
        pytest.param(lambda error: pickle.loads(pickle.dumps(error)), id="pickle"),
    ],
)
def test_error_survives_a_copy_and_another_process(travel):
    arrived = travel(TokenAuthError(CloseReason.UNAVAILABLE, retry_after=5))
    assert (arrived.code, arrived.retry_after) == (CloseReason.UNAVAILABLE, 5)
