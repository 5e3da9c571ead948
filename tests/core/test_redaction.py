"""No secret survives in a text, nothing else of it changes, and no text takes long."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.redaction import MARK, NAMES, redact
from tests.core.redaction_shapes import SHAPES

KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
MEGABYTE = 1_000_000

# What no server escapes: letters, digits and the punctuation of tokens, base64 and URLs.
secrets = st.text(
    st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-._~+/=%$!*"),
    min_size=8,
    max_size=64,
).filter(lambda secret: secret[-1].isalnum())


@pytest.mark.parametrize("secret", [KEY, JWT, "a%2Fb%3Dc+/=0", "p'q\"r\\s7"])
@pytest.mark.parametrize("shape", SHAPES)
def test_only_the_secret_is_replaced(shape, secret):
    quotes = re.search(r"""["']""", secret)
    if quotes and "\\" in shape:  # such a shape would have escaped them
        secret = secret.replace("'", "").replace('"', "").replace("\\", "")
    assert redact(shape.format(secret)) == shape.format(MARK)


@given(shape=st.sampled_from(SHAPES), secret=secrets)
def test_whatever_the_secret_is_only_it_is_replaced(shape, secret):
    assert redact(shape.format(secret)) == shape.format(MARK)


@given(texts=st.lists(st.sampled_from(SHAPES) | st.text(), min_size=1), secret=secrets)
def test_redacting_twice_changes_nothing_more(texts, secret):
    once = redact("\n".join(text.replace("{}", secret) for text in texts))
    assert redact(once) == once


@pytest.mark.parametrize("end", ["", "]", "](chat)"])
@pytest.mark.parametrize("between", ["\x08", "\x7f", "\xa0", "&", ",", '"', "':", '">', "\\r\\n"])
@pytest.mark.parametrize("name", ["bearer.", "token=", 'token="', "authorization: Bearer "])
def test_offer_with_secrets_of_two_kinds_in_a_row_is_redacted_once(name, between, end):
    once = redact(f"subprotocols: [{name}abc{between}{KEY}{end}")
    assert KEY not in once
    assert redact(once) == once


@pytest.mark.parametrize("part", ["&", "\x7f", "$2&b", "!"])
def test_offered_token_is_masked_whole_whatever_is_in_it(part):
    offer = f"Sec-WebSocket-Protocol: chat, {KEY[:15]}{part}{KEY[:15]}"
    assert redact(offer) == f"Sec-WebSocket-Protocol: chat, {MARK}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "connection open",
        '"GET /auth/check/?csrftoken=abc&access_token=abc&tokens=2 HTTP/1.1" 200',
        "/?token=&ticket=",
        "{'query_string': b'token=', 'headers': [(b'host', b'example.com')]}",
        '{"token":"","ticket":null,"token_id":"5f2b"}',
        '{"type":"auth.ok","expires_in":60,"user_id":"7"}',
        '{"type":"auth.error","code":"token_expired","retry":true}',
        "close 4401 token_invalid",
        "Authorization: ",
        "Bearer token required",
        'www-authenticate: Bearer realm="api", error="invalid_token"',
        "access-control-allow-headers: authorization, content-type",
        "allow_headers=['authorization', 'content-type']",
        "def authenticate(authorization: str | None = None) -> None:",
        'File "/srv/site/bearer.py", line 9, in bearer',
        "Sec-WebSocket-Protocol: token-auth.v1",
        "Unauthorized: /ws/100%25/",
        "token=).",
        "Have it offer ['token-auth.v1', 'bearer.<token>'], or send",
    ],
)
def test_text_without_a_secret_is_returned_as_it_was(text):
    assert redact(text) == text


def test_an_access_log_of_the_bare_header_is_redacted():
    assert redact(f'"GET /" 200 "Token {KEY}"') == f'"GET /" 200 "Token {MARK}"'


def test_several_secrets_of_one_text_are_all_redacted():
    text = f"/?token={KEY}&ticket={KEY} authorization: Bearer {KEY}\nbearer.{KEY}"
    assert redact(text) == (
        f"/?token={MARK}&ticket={MARK} authorization: Bearer {MARK}\nbearer.{MARK}"
    )


@pytest.mark.parametrize(
    ("frame", "redacted"),
    [
        (
            '{"type":"auth","token":"9944b09199c62bc...dd0e4bbdfc6ee4b"}',
            '{"type":"auth","token":"[redacted]"}',
        ),
        (
            '{"token":"9944b09199c62bcf9418ad846...","type":"auth"}',
            '{"token":"[redacted]","type":"auth"}',
        ),
        (
            '{"type":"auth","device":"a long one ...0e4bbdfc6ee4b"}',
            '{"type":"auth","device":"a long',
        ),
    ],
)
def test_the_end_of_a_long_auth_frame_is_redacted(frame, redacted):
    shown = redact(f"< TEXT '{frame}' [133 bytes]")
    assert shown.startswith(f"< TEXT '{redacted}")
    assert shown.endswith(" [133 bytes]")
    assert "6ee4b" not in shown


def test_the_end_of_any_other_long_frame_stays():
    text = '< TEXT \'{"command":"a very long line ...and its end"}\' [133 bytes]'
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "< Sec-WebSocket-Protocol: {}",
        "sec-websocket-protocol: chat.v1, {}, token-auth.v1\n< host: a",
        "sec-websocket-protocol: bearer.[redacted], {}",
        "[(b'host', b'a'), (b'sec-websocket-protocol', b'chat, {}'), (b'origin', b'null')]",
        "{{'Sec-WebSocket-Protocol': '{}', 'host': 'a'}}",
        "scope={{'type': 'websocket', 'subprotocols': ['chat', '{}'], 'state': {{}}}}",
        'subprotocols=["{}"]',
        "b\"(b\\'sec-websocket-protocol\\', b\\'{}\\')\"",
    ],
)
@pytest.mark.parametrize(
    "token",
    [
        "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
@pytest.mark.asvs("16.2.5")
def test_token_that_is_offered_as_a_subprotocol_by_itself_is_redacted(text, token):
    redacted = redact(text.format(token))
    assert redacted == text.format(MARK)
    assert redact(redacted) == redacted


def test_names_of_offered_subprotocols_stay():
    text = "< Sec-WebSocket-Protocol: token-auth.v1, v12.stomp, graphql-transport-ws, wamp.2.json"
    assert redact(text) == text


@pytest.mark.asvs("1.2.9")
def test_a_site_s_own_names_are_redacted():
    names = NAMES | {"api.key"}
    assert redact(f"/?api.key={KEY}&api-key=x", names) == f"/?api.key={MARK}&api-key=x"
    assert redact(f"/?api%2ekey={KEY}", names) == f"/?api%2ekey={MARK}"


def test_an_unfinished_value_ends_with_its_line():
    assert redact(f'{{"token":"{KEY}\nnext line') == f'{{"token":"{MARK}\nnext line'


STARTS = ["", "/?token=", '"token":"', "authorization: x ", "< TEXT 'auth"]
UNITS = ["\\", '"', "'", " ", ")", "%", "%74", "\\u0074", "token=", '"token" : "', "token='\\"]
UNITS += ["authorization: ", "authorization','", "bearer.", "Bearer a1", "< TEXT 'auth... [", "\n"]


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_takes_linear_time(unit):
    # 20 ms is usual for each. What is quadratic takes many seconds for this much.
    for start in STARTS:
        assert seconds(start + unit * (40_000 // len(unit))) < 1


@pytest.mark.slow
def test_a_hostile_megabyte_takes_linear_time():
    units = [start + unit * 1_000 for start in STARTS for unit in UNITS]
    assert seconds("".join(units)[:MEGABYTE].ljust(MEGABYTE, "\\")) < 10


def test_a_megabyte_without_a_secret_takes_no_time_at_all():
    assert seconds("connection open " * (MEGABYTE // 16)) < 0.5


def seconds(text):
    began = time.process_time()
    redact(text)
    return time.process_time() - began


@pytest.mark.parametrize("end", [" [text, 48 bytes]", " [9 bytes, continued]", ""])
@pytest.mark.parametrize("part", ['en":"s3cret1"}', "s3cr", 'et1"}', "6f 6b 65 6e"])
def test_nothing_of_a_later_fragment_is_shown(part, end):
    shown = redact(f"DEBUG\n< CONT '{part}'{end}")
    assert shown == f"DEBUG\n< CONT {MARK}{end}"


@pytest.mark.parametrize("start", ["", "20 ", "0d 0a 09 "])
@pytest.mark.parametrize("end", [" [38 bytes]", " [9 bytes, continued]", ""])
def test_binary_json_in_hexadecimal_is_not_shown(start, end):
    shown = redact(f"DEBUG\n< BINARY {start}7b 22 74 6f ... 65 74 22 7d{end}")
    assert shown == f"DEBUG\n< BINARY {MARK}{end}"


def test_other_binary_frames_are_shown():
    text = "< BINARY 00 01 7b 22 74 [5 bytes]"
    assert redact(text) == text


def test_first_fragment_shows_no_part_of_a_token():
    shown = redact('< TEXT \'{"type": "auth", "token": "s3cr\' [30 bytes, continued]')
    assert "s3cr" not in shown
