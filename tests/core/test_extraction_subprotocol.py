"""`bearer.<token>` among the offered subprotocols, and its three encoded dialects."""

import pytest

from channels_token_auth.core.credentials import Location
from channels_token_auth.core.handshake.extraction import extract
from tests.core.opening import HOST, HOSTILE, LONGEST, MALFORMED, MAX, OFFER, found, policy, read


def case(name, given, expected):
    return pytest.param(given, expected, id=name)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        case("plain", "bearer.abc", "abc"),
        case("plain, with dots", "bearer.a.b-c_d~", "a.b-c_d~"),
        case("base64url", "base64url.bearer.YS9iPT0", "a/b=="),
        case("base64url, the odd digits", "base64url.bearer.4K-_YQ", "\u0bffa"),
        case("Kubernetes", "base64url.bearer.authorization.k8s.io.YS9iPT0", "a/b=="),
        case("Phoenix", "base64url.bearer.phx.YS9iPT0", "a/b=="),
        case("plain base64url", "bearer.base64url.bearer.YQ", "base64url.bearer.YQ"),
        case("longest", f"bearer.{LONGEST}", LONGEST),
        case("longest, encoded", "base64url.bearer." + "dHR0" * 13 + "dA", LONGEST),
        case("too long", f"bearer.{LONGEST}t", HOSTILE),
        case("too long, encoded", "base64url.bearer." + "dHR0" * 13 + "dHQ", HOSTILE),
        case("far too long, and rubbish", "base64url.bearer." + "*" * 2 * MAX + "*", HOSTILE),
        case("blank", "bearer.", MALFORMED),
        case("blank, encoded", "base64url.bearer.", MALFORMED),
        case("blank, Phoenix", "base64url.bearer.phx.", MALFORMED),
        case("padding", "base64url.bearer.YQ==", MALFORMED),
        case("no such length", "base64url.bearer.YWJjZ", MALFORMED),
        case("standard alphabet", "base64url.bearer.4K+/YQ", MALFORMED),
        case("outside the alphabet", "base64url.bearer.Y!Q", MALFORMED),
        case("newline", "base64url.bearer.YQ\n", MALFORMED),
        case("trailing bits", "base64url.bearer.YR", MALFORMED),
        case("another dialect", "base64url.bearer.xyz.YQ", MALFORMED),
        case("NUL", "base64url.bearer.AGE", MALFORMED),
        case("not UTF-8", "base64url.bearer._w", MALFORMED),
        case("surrogate", "bearer.\ud800", MALFORMED),
        case("surrogate, encoded", "base64url.bearer.\udcff", MALFORMED),
        case("space", "bearer.a b", MALFORMED),
    ],
)
def test_subprotocol_entry_is_read_and_taken_out(entry, expected):
    handshake = read(offer=["chat", entry, "token-auth.v1"], max_token_bytes=MAX)
    assert found(handshake) == expected
    assert handshake.subprotocols == ["chat", "token-auth.v1"]
    assert handshake.headers == [HOST, (OFFER, b"chat, token-auth.v1")]


@pytest.mark.parametrize("second", ["bearer.abc", "bearer.x", "base64url.bearer.YWJj", "bearer."])
@pytest.mark.asvs("15.3.7")
def test_two_entries_with_tokens_are_malformed(second):
    handshake = read(offer=["bearer.abc", "chat", second])
    assert found(handshake) == MALFORMED
    assert handshake.subprotocols == ["chat"]


@pytest.mark.parametrize("entry", ["chat", "bearer", "Bearer.abc", "xbearer.abc", "base64url.abc"])
def test_entry_without_a_token_stays(entry):
    handshake = read(offer=[entry])
    assert found(handshake) is None
    assert handshake.subprotocols == [entry]
    assert handshake.headers == [HOST, (OFFER, entry.encode())]


def test_offer_without_a_token_keeps_its_headers_as_they_are():
    headers = [(OFFER, b"chat,soap"), (b"x-between", b"1"), (OFFER, b"token-auth.v1")]
    offer = ["chat", "soap", "token-auth.v1"]
    assert extract(headers, b"", offer, policy()).headers == headers


@pytest.mark.parametrize(
    ("lines", "expected", "left"),
    [
        pytest.param([b"chat", b"bearer.abc"], "abc", [b"chat"], id="on the last line"),
        pytest.param([b"bearer.abc", b"chat"], "abc", [b"chat"], id="on the first line"),
        pytest.param([b"a ,\tbearer.abc\t, b"], "abc", [b"a, b"], id="between spaces and tabs"),
        pytest.param([b"bearer.a", b"bearer.a"], MALFORMED, [], id="on two lines"),
        pytest.param([b"bearer.\xff"], MALFORMED, [], id="not UTF-8"),
    ],
)
@pytest.mark.parametrize("listed", [[], ["bearer.abc"], ["chat"], ["a", "b"]])
def test_header_counts_whatever_a_server_lists(lines, expected, left, listed):
    headers = [(OFFER, line) for line in lines]
    handshake = extract(headers, b"", listed, policy())
    assert found(handshake) == expected
    assert handshake.headers == [(OFFER, line) for line in left]
    offered = [entry.decode() for line in left for entry in line.split(b", ")]
    assert handshake.subprotocols == [e for e in offered if not listed or e in listed]
    assert handshake.offers_credential


@pytest.mark.parametrize("listed", [["token-auth.v1, bearer.abc"], ["chat,token-auth.v1", "soap"]])
def test_line_that_a_server_does_not_split_is_split(listed):
    for lines in ([], [b"token-auth.v1 , bearer.abc"]):
        handshake = extract([(OFFER, line) for line in lines], b"", listed, policy())
        assert "token-auth.v1" in handshake.subprotocols
        assert not [entry for entry in handshake.subprotocols if "," in entry or "bearer" in entry]


def test_credential_that_only_a_server_lists_is_not_handed_on():
    handshake = extract([(OFFER, b"chat")], b"", ["chat", "bearer.abc"], policy())
    assert found(handshake) is None
    assert handshake.subprotocols == ["chat"]
    assert handshake.is_cleaned


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("text", ["ab+d", "ab/d", "ab%d", "ab d", "=abc", "YQ==", "a\x00", "é"])
def test_text_that_is_not_base64url_is_refused_before_it_is_decoded(text):
    assert found(read(offer=[f"base64url.bearer.{text}"])) == MALFORMED


@pytest.mark.parametrize(
    ("listed", "expected"), [("bearer.abc", "abc"), ("bearer.\udcff", MALFORMED)]
)
def test_list_counts_where_a_server_hands_on_no_header(listed, expected):
    handshake = extract([HOST], b"", [listed, "chat"], policy())
    assert found(handshake) == expected
    assert (handshake.headers, handshake.subprotocols) == ([HOST], ["chat"])


def test_entry_that_is_no_text_stays_beside_a_token():
    handshake = read(offer=["\udcff", "bearer.abc"])
    assert found(handshake) == "abc"
    assert handshake.subprotocols == ["\udcff"]


def test_offer_of_a_token_alone_leaves_no_header():
    handshake = read((b"x-first", b"1"), offer=["bearer.abc"])
    assert handshake.headers == [HOST, (b"x-first", b"1")]
    assert handshake.subprotocols == []


TOKEN = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"


@pytest.mark.parametrize("locations", [frozenset(Location), frozenset({Location.HEADER})])
@pytest.mark.parametrize("offer", [[TOKEN], [TOKEN, "chat"], ["chat", TOKEN], ["token", TOKEN]])
def test_token_by_itself_is_no_credential_and_is_taken_out(offer, locations):
    handshake = read(offer=offer, locations=locations)
    assert found(handshake) is None
    assert handshake.has_bare_token
    assert handshake.is_cleaned
    assert handshake.subprotocols == [each for each in offer if each != TOKEN]
    assert TOKEN not in repr(handshake)


@pytest.mark.parametrize("listed", [[f"chat, {TOKEN}"], [TOKEN], []])
def test_token_by_itself_is_taken_out_however_the_server_lists_it(listed):
    handshake = extract([HOST, (OFFER, f"chat, {TOKEN}".encode())], b"", listed, policy())
    assert handshake.has_bare_token
    assert TOKEN not in repr(handshake)


def test_token_by_itself_beside_a_credential_is_taken_out():
    handshake = read(offer=["chat", "bearer.abc", TOKEN])
    assert found(handshake) == "abc"
    assert handshake.subprotocols == ["chat"]
    assert TOKEN not in repr(handshake)
