"""Which text frames are control frames, and what they contain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.credentials import Secret
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.lifecycle.messages import (
    FRAME_OVERHEAD,
    AuthControl,
    InvalidControl,
    PingControl,
    error_message,
    read_control,
    read_first,
    write,
)

MAX = 16
LONGEST = MAX + FRAME_OVERHEAD
NO_STRINGS = [None, 7, True, ["abc"], {"token": "abc"}]
NO_TOKENS = ["", " ", "a b", "\0", "a\n", "\x7f", "\ud800", "t" * (MAX + 1), "é" * MAX, *NO_STRINGS]
MALFORMED, TOO_LARGE = InvalidControl(CloseReason.MALFORMED), InvalidControl(CloseReason.TOO_LARGE)


def read(frame):
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return read_control(text, max_token_bytes=MAX)


def first(text):
    return read_first(text, max_token_bytes=MAX)


def filled(frame, size):
    """The frame, made that many bytes long by a key that nobody knows."""
    text = frame.replace("}", ',"x":"{}"}')
    return text.replace('"{}"', f'"{"x" * (size - len(text.encode()) + 2)}"')


# -- Reading


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "auth", "token": "abc"},
        {"token": "abc", "type": "auth"},
        {"type": "auth", "token": "abc", "id": 7},
        ' {\n\t"type" :\r"auth" , "token" : "abc" } ',
        '{"type":"auth","token":"\\u0061bc"}',
        '{"type":"auth","token":"xyz","token":"abc"}',
        '{"type":"other","type":"auth","token":"abc"}',
    ],
)
def test_auth_with_a_token_is_known_in_any_shape_of_json(frame):
    assert read(frame) == AuthControl(Secret("abc"))


@pytest.mark.parametrize("token", ["t", "t" * MAX, "é" * (MAX // 2), '"}'])
def test_token_of_visible_characters_and_bounded_bytes_is_taken(token):
    assert read({"type": "auth", "token": token}) == AuthControl(Secret(token))


@pytest.mark.parametrize("token", NO_TOKENS, ids=ascii)
def test_auth_with_what_is_no_token_is_malformed(token):
    assert read({"type": "auth", "token": token}) == MALFORMED


def test_auth_without_a_token_is_malformed():
    assert read({"type": "auth"}) == MALFORMED


@pytest.mark.parametrize("frame", [{"type": "auth.ping"}, {"type": "auth.ping", "token": 7}])
def test_ping_is_known_whatever_else_it_holds(frame):
    assert read(frame) == PingControl()


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(frame, id=str(frame)[:40])
        for frame in [
            "",
            "hello",
            '"auth',
            '"auth"',
            '["auth"]',
            "7",
            '{"type":"auth"',
            '{"type":"auth"} and more',
            '\ufeff{"type":"auth"}',
            '{"type":"auth","token":' + "[" * 200,
            {"type": "auth.ok"},
            {"type": "auth.pong"},
            {"type": "authors"},
            {"type": "AUTH"},
            {"type": ["auth"]},
            {"kind": "auth"},
            {"say": {"type": "auth"}},
            {"command": "Say hello !", "data_string": "auth"},
        ]
    ],
)
def test_every_other_frame_is_the_applications(frame):
    assert read(frame) is None


def test_frame_too_deep_to_be_parsed_is_the_applications():
    deep = '{"type":"auth","token":' + "[" * 100_000
    assert read_control(deep, max_token_bytes=len(deep)) is None


def test_type_and_its_name_are_written_without_escapes():
    """Text with escapes is not parsed, so that the application's frames cost nothing."""
    assert read('{"type":"\\u0061uth","token":"oauth"}') is None


# -- Sizes


@pytest.mark.parametrize("frame", ['{"type":"auth","token":"abc"}', '{"type":"auth","token":"é"}'])
def test_control_frame_has_a_bound_in_bytes(frame):
    assert len(filled(frame, LONGEST).encode()) == LONGEST
    assert isinstance(read(filled(frame, LONGEST)), AuthControl)
    assert read(filled(frame, LONGEST + 1)) == TOO_LARGE


@pytest.mark.parametrize("beginning", ['{"type":"auth"', ' {\n"type" :\t"auth"'])
def test_control_frame_over_its_bound_is_known_by_its_beginning(beginning):
    assert read(beginning + "x" * LONGEST) == TOO_LARGE


@pytest.mark.parametrize(
    "beginning",
    ['{"token":"auth","type":"auth"', '{"type":"auth.ping"', 'x{"type":"auth"', '["auth"', '"auth'],
)
def test_any_other_frame_over_the_bound_is_the_applications(beginning):
    assert read(beginning + "x" * LONGEST) is None


def test_half_a_surrogate_pair_in_a_frame_is_no_exception():
    assert read('"auth\ud800') is None
    assert read('{"type":"auth"\ud800' + "x" * LONGEST) == TOO_LARGE


@given(
    st.lists(
        st.sampled_from(['{"type":', '"auth"', '"auth.ping"', ',"token":', '"t"', "}", "[", "]"])
        | st.text(st.characters(), max_size=4),
        max_size=8,
    )
)
def test_any_text_is_read_without_an_exception(pieces):
    text = "".join(pieces)
    control = read(text)
    assert control is None or '"auth' in text


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "1.", "+1", "0x1", ".5"])
def test_numbers_that_rfc_8259_does_not_have_are_not_json(number):
    text = f'{{"type":"auth","token":"abc","x":{number}}}'
    assert read(text) is None
    assert first(text) == MALFORMED


def test_number_with_more_digits_than_python_converts_is_json():
    frame = f'{{"type":"auth","token":"abc","x":{"7" * 5000}}}'
    assert read_control(frame, max_token_bytes=6000) == AuthControl(Secret("abc"))


# -- The first frame


def test_first_frame_with_a_token_is_read():
    assert first('{"type":"auth","token":"abc"}') == AuthControl(Secret("abc"))


@pytest.mark.parametrize(
    "text",
    ["hello", "", "7", "null", "[]", "{}", '{"command":"hello"}', '{"type":"auth.ping"}', '"auth"'],
)
def test_first_frame_of_a_client_that_does_not_know_the_protocol_lacks_a_token(text):
    assert first(text) == InvalidControl(CloseReason.TOKEN_MISSING)


@pytest.mark.parametrize(
    "text", ['{"type":"auth"}', '{"type":"auth","token":7}', '{"type":"auth"', 'say "auth"']
)
def test_first_frame_that_is_a_wrong_message_is_malformed(text):
    assert first(text) == MALFORMED


def test_first_frame_may_not_be_longer_than_a_message():
    assert first("t" * LONGEST) == InvalidControl(CloseReason.TOKEN_MISSING)
    assert first("t" * (LONGEST + 1)) == TOO_LARGE


@given(st.text(max_size=LONGEST + 10))
@pytest.mark.asvs("2.2.1")
def test_any_first_frame_is_a_token_or_refused(text):
    assert isinstance(first(text), AuthControl | InvalidControl)


# -- Writing


@pytest.mark.asvs("1.2.3")
def test_message_of_the_server_is_compact_json():
    assert write("auth.ok", expires_in=None, user_id="7") == (
        '{"type":"auth.ok","expires_in":null,"user_id":"7"}'
    )


@pytest.mark.parametrize("code", CloseReason)
def test_error_says_whether_trying_again_helps(code):
    assert json.loads(error_message(TokenAuthError(code))) == {
        "type": "auth.error",
        "code": code,
        "retry": code.may_retry,
        "retry_after": None,
    }


@pytest.mark.parametrize(("given_seconds", "seconds"), [(5, 5), (1.2, 2), (0.0, 0), (-3, 0)])
def test_error_says_how_many_whole_seconds_to_wait(given_seconds, seconds):
    message = error_message(TokenAuthError(CloseReason.UNAVAILABLE, retry_after=given_seconds))
    assert f'"retry_after":{seconds}}}' in message


def test_no_message_of_ours_shows_a_token():
    assert "abc" not in repr(read({"type": "auth", "token": "abc"}))
