import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.counting.client_address import client_address, read_address

PEER = ("192.0.2.1", 4711)


def forwarded(*lines):
    return [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("fe80::7%eth0", "fe80::7"),
        ("[fe80::7%25eth0]:80", "fe80::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::FFFF:192.0.2.7]:80", "192.0.2.7"),
    ],
)
def test_address_is_read_in_each_of_its_forms(text, address):
    assert read_address(text).text == address


@pytest.mark.parametrize(
    "text",
    ["", " ", "unknown", "unix:", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.7:", "192.0.2.7:x",
     "192.0.2.7%eth0", "[2001:db8::7", "[2001:db8::7]x", "2001:db8::7]:80", "010.0.0.1", "１.2.3.4",
     "1" * 10_000, "a\0b", "192.0.2.7, 192.0.2.8"],
)  # fmt: skip
def test_text_that_is_no_address_is_none(text):
    assert read_address(text) is None


@given(st.text())
def test_any_text_is_an_address_or_none(text):
    found = read_address(text)
    assert found is None or read_address(found.text) == found


def test_ipv6_clients_are_grouped_by_64_bits():
    groups = {read_address(each).group for each in ("2001:db8::1", "2001:db8:0:0:ffff::2")}
    assert groups == {"2001:db8::/64"}
    assert read_address("2001:db8:0:1::1").group not in groups


def test_ipv4_clients_are_grouped_by_themselves_behind_nat64_too():
    assert read_address("192.0.2.7").group == "192.0.2.7"
    assert read_address("64:ff9b::192.0.2.7").group == "192.0.2.7"


@pytest.mark.parametrize(
    ("text", "is_internal"),
    [
        ("127.0.0.9", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("192.168.0.1", True),
        ("169.254.1.1", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("::ffff:10.0.0.1", True),
        ("172.32.0.1", False),
        ("192.0.2.7", False),
        ("203.0.113.7", False),
        ("2001:db8::1", False),
    ],
)
def test_loopback_and_private_addresses_are_internal(text, is_internal):
    assert read_address(text).is_internal is is_internal


@pytest.mark.parametrize(
    "client", [None, (), ("", 0), ("unix:/run/site.sock", None), [None, None], 5, "192.0.2.7"]
)
def test_client_of_a_unix_socket_has_no_address(client):
    assert client_address(client, [], 0) is None


@pytest.mark.asvs("4.1.3")
def test_no_header_is_believed_without_trusted_proxies():
    headers = forwarded("203.0.113.9")
    assert client_address(PEER, headers, 0).text == "192.0.2.1"
    assert client_address(None, headers, 0) is None


@pytest.mark.parametrize(
    ("lines", "proxies", "address"),
    [
        (["203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.66, 203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.66, 203.0.113.9, 10.0.0.2"], 2, "203.0.113.9"),
        (["198.51.100.66", "203.0.113.9"], 1, "203.0.113.9"),
        (["198.51.100.66", "203.0.113.9", "10.0.0.2"], 2, "203.0.113.9"),
        (["198.51.100.66, 203.0.113.9", "10.0.0.2"], 2, "203.0.113.9"),
        (["203.0.113.9:51234"], 1, "203.0.113.9"),
        (["[2001:db8::9]:51234"], 1, "2001:db8::9"),
        (["198.51.100.66,,203.0.113.9"], 1, "203.0.113.9"),
    ],
)
@pytest.mark.asvs("15.3.4")
def test_entry_of_the_outermost_trusted_proxy_counts(lines, proxies, address):
    assert client_address(PEER, forwarded(*lines), proxies).text == address
    assert client_address(None, forwarded(*lines), proxies).text == address


@pytest.mark.parametrize(
    ("lines", "proxies"),
    [
        ([], 1),
        ([""], 1),
        (["unknown"], 1),
        (["unix:"], 1),
        (["203.0.113.9"], 2),
        (["203.0.113.9, unknown"], 1),
        (["203.0.113.9,"], 1),
        (["\xff\xfe"], 1),
    ],
)
def test_header_without_the_expected_entry_is_not_believed(lines, proxies):
    assert client_address(PEER, forwarded(*lines), proxies).text == "192.0.2.1"
    assert client_address(None, forwarded(*lines), proxies) is None


@given(st.lists(st.binary(max_size=40), max_size=4), st.integers(0, 5))
@pytest.mark.asvs("4.1.3", "15.3.4")
def test_what_a_client_sends_first_changes_nothing(lines, proxies):
    own = forwarded(*["203.0.113.9"] * max(1, proxies))
    sent = [(b"x-forwarded-for", line) for line in lines]
    assert client_address(PEER, [*sent, *own], proxies) == client_address(PEER, own, proxies)
