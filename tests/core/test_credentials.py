"""A secret that nothing shows by accident."""

import copy
import hashlib
import logging
import pickle
import traceback

import pytest

from channels_token_auth.core.credentials import Credential, Location, Secret

RAW = "c4n4ry-0f-th3-t0k3n"
MASK = "Secret(***)"


def credential(raw=RAW, location=Location.HEADER):
    return Credential(location=location, secret=Secret(raw), scheme="bearer")


def test_only_reveal_gives_the_raw_token():
    assert Secret(RAW).reveal() == RAW


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(format, id="format"),
        pytest.param(lambda secret: f"{secret!s:>20}", id="padded"),
        pytest.param(lambda secret: repr({"token": [secret]}), id="in a container"),
        pytest.param(lambda secret: repr(ValueError(secret)), id="repr of an exception"),
        pytest.param(lambda secret: str(ValueError("bad", secret)), id="str of an exception"),
        pytest.param(
            lambda secret: "".join(traceback.format_exception(KeyError(secret))), id="traceback"
        ),
        pytest.param(
            lambda secret: repr(Credential(location=Location.QUERY, secret=secret)), id="dataclass"
        ),
    ],
)
@pytest.mark.asvs("14.2.4")
def test_text_of_a_secret_is_a_mask(show):
    text = show(Secret(RAW))
    assert MASK in text
    assert RAW not in text


def test_log_shows_a_mask(caplog):
    logging.getLogger("application").error("got %s and %r", Secret(RAW), credential())
    assert caplog.text.count(MASK) == 2
    assert RAW not in caplog.text


def test_secret_keeps_no_dictionary_that_a_debugger_would_print():
    assert not hasattr(Secret(RAW), "__dict__")


@pytest.mark.parametrize(
    "duplicate",
    [
        *(
            pytest.param(lambda it, p=p: pickle.dumps(it, protocol=p), id=f"pickle {p}")
            for p in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
@pytest.mark.asvs("14.2.4")
def test_secret_leaves_neither_process_nor_owner(duplicate):
    with pytest.raises(TypeError) as caught:
        duplicate(Secret(RAW))
    assert RAW not in str(caught.value)


@pytest.mark.parametrize(
    ("other", "is_equal"),
    [
        pytest.param(Secret(RAW), True, id="same token"),
        pytest.param(Secret(RAW[:-1]), False, id="shorter"),
        pytest.param(Secret(RAW.upper()), False, id="other case"),
        pytest.param(Secret("ÿ"), False, id="not ASCII"),
        pytest.param(RAW, False, id="the raw token"),
        pytest.param(None, False, id="nothing"),
    ],
)
def test_secret_equals_a_secret_of_the_same_token_only(other, is_equal):
    assert (Secret(RAW) == other) is is_equal
    assert (Secret(RAW) != other) is not is_equal


def test_equal_secrets_are_one_in_a_set():
    assert len({Secret(RAW), Secret(RAW), Secret("another")}) == 2


def test_digest_is_32_hex_digits_of_sha_256():
    assert Secret("é").digest == hashlib.sha256("é".encode()).hexdigest()[:32]


def test_credentials_compare_by_value():
    assert credential() == credential()
    assert credential() != credential("another")
    assert credential() != credential(location=Location.QUERY)


def test_locations_stand_in_order_of_precedence():
    assert list(Location) == [
        *("header", "subprotocol", "ticket", "query", "cookie", "first_message")
    ]
