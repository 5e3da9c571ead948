"""The names that proxies and tracers give to a request: taken if harmless, else ignored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.handshake.correlation import (
    MAX_REQUEST_ID,
    Correlation,
    read_correlation,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def read(*headers, **options):
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return read_correlation([(b"host", b"a"), *pairs], **options)


def request_id(value, **options):
    return read(("x-request-id", value), **options).request_id


def traceparent(value):
    return read(("traceparent", value)).traceparent


@pytest.mark.parametrize(
    "value",
    ["a", "0f1e2d3c", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "a.b_c:d/e+f=@~|-", "x" * 128],
)
def test_harmless_id_is_taken(value):
    assert request_id(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a b",
        "a\nb",
        "a\r\nX: y",
        'a"b',
        "a,b",
        "a;b",
        "a\\b",
        "é",
        "\x1b[2J",
        "\x00",
        "{}",
    ],
)
def test_id_that_could_break_a_line_is_ignored(value):
    assert request_id(value) is None


def test_long_id_is_ignored():
    assert request_id("x" * (MAX_REQUEST_ID + 1)) is None


@pytest.mark.parametrize(
    "value", ["token=c4nary", "bearer.c4nary", "/?ticket=c4nary", "s3cr3t-key"]
)
def test_id_with_a_token_in_it_is_ignored(value):
    assert request_id(value, secret="s3cr3t-key") is None


def test_short_credential_is_not_looked_for():
    assert request_id("banana", secret="a") == "banana"


@pytest.mark.parametrize("flags", ["00", "01", "ff"])
def test_traceparent_of_the_standard_is_taken(flags):
    assert traceparent(f"00-{TRACE}-{SPAN}-{flags}") == f"00-{TRACE}-{SPAN}-{flags}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        TRACE,
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01more",
        f"{PARENT}, {PARENT}",
        f"{PARENT}\n",
        PARENT.replace("-", "_"),
    ],
)
def test_other_traceparent_is_ignored(value):
    assert traceparent(value) is None


@pytest.mark.parametrize("more", ["", "-", "-what\tever=1"])
def test_traceparent_of_a_later_version_is_cut(more):
    """W3C Trace Context §4.3: its first four fields are those of version 00."""
    assert traceparent(f"cc-{TRACE}-{SPAN}-01{more}") == f"cc-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize("name", ["X-Request-ID", "x-request-id", "X-REQUEST-ID"])
def test_name_has_no_case(name):
    assert read((name, "a")).request_id == "a"


def test_blanks_around_a_value_are_no_part_of_it():
    assert (request_id(" a\t"), traceparent(f" {PARENT} ")) == ("a", PARENT)


@pytest.mark.parametrize("second", ["a", "b"])
def test_header_that_comes_twice_is_ignored_and_the_other_one_is_not(second):
    found = read(("x-request-id", "a"), ("traceparent", PARENT), ("x-request-id", second))
    assert found == Correlation(traceparent=PARENT)


def test_without_the_headers_there_is_nothing():
    assert read() == read(("x-request-idx", "a")) == Correlation()


@given(st.binary(), st.binary())
def test_anything_is_read_or_ignored(first, second):
    found = read_correlation([(b"x-request-id", first), (b"traceparent", second)])
    for value in (found.request_id, found.traceparent):
        assert value is None or (len(value) <= MAX_REQUEST_ID and value.isascii())
        assert value is None or value.isprintable()
