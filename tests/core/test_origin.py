"""Which pages may open a socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.core.handshake.origin import OriginRule, mistake_in

HOSTS = ("example.com", ".example.org", "127.0.0.1", "[::1]", "Upper.test")


def allows(rule, *origins, host=b"example.com"):
    return rule.allows([(b"host", host), *((b"origin", origin) for origin in origins)])


@pytest.mark.parametrize(
    "origin",
    [
        b"https://example.com",
        b"http://example.com",
        b"https://example.com:8443",
        b"app://example.com",
        b"HTTPS://EXAMPLE.COM",
        b"https://example.org",
        b"https://www.example.org",
        b"https://a.b-c.d_e.example.org:1",
        b"http://127.0.0.1:8000",
        b"http://[::1]",
        b"http://[::1]:8000",
        b"https://upper.test",
    ],
)
def test_host_that_is_allowed_passes_with_any_scheme_and_port(origin):
    assert allows(OriginRule(hosts=HOSTS), origin)


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param(b"https://evil.test", id="foreign"),
        pytest.param(b"https://www.example.com", id="subdomain of an exact host"),
        pytest.param(b"https://example.com.evil.test", id="prefix"),
        pytest.param(b"https://evilexample.com", id="suffix"),
        pytest.param(b"https://evilexample.org", id="suffix without a dot"),
        pytest.param(b"https://127.0.0.1.evil.test", id="address as prefix"),
        pytest.param(b"http://[::2]", id="foreign address"),
        pytest.param(b"http://::1", id="address without brackets"),
        pytest.param(b"http://[::1].example.org", id="address and more"),
        pytest.param(b"https://example.com@evil.test", id="user"),
        pytest.param(b"https://evil.test@example.com", id="as user"),
        pytest.param(b"https://u:p@example.com", id="user and password"),
        pytest.param(b"https://example.com/", id="slash"),
        pytest.param(b"https://evil.test/example.com", id="path"),
        pytest.param(b"https://evil.test?example.com", id="query"),
        pytest.param(b"https://evil.test#example.com", id="fragment"),
        pytest.param(b"https://evil.test\\example.com", id="backslash"),
        pytest.param(b"https://example.com.", id="trailing dot"),
        pytest.param(b"https://.example.org", id="leading dot"),
        pytest.param(b"https://a..example.org", id="empty label"),
        pytest.param(b"https://example.com:", id="no port"),
        pytest.param(b"https://example.com:port", id="port in letters"),
        pytest.param(b"https://example.com:123456", id="port of six digits"),
        pytest.param(b"https://example.com https://evil.test", id="list"),
        pytest.param(b"https://evil.test, https://example.com", id="list with a comma"),
        pytest.param(b" https://example.com", id="leading space"),
        pytest.param(b"https://example.com\n", id="newline"),
        pytest.param(b"https://example.com\0", id="NUL"),
        pytest.param(b"https://ex\xe1mple.com", id="not ASCII"),
        pytest.param(b"//example.com", id="no scheme"),
        pytest.param(b"example.com", id="host only"),
        pytest.param(b"1http://example.com", id="no such scheme"),
        pytest.param(b"https://*", id="wildcard"),
        pytest.param(b"file://", id="no host"),
        pytest.param(b"null", id="null"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.asvs("4.4.2")
def test_any_other_origin_is_refused(origin):
    assert not allows(OriginRule(hosts=HOSTS), origin)
    assert not allows(OriginRule(hosts=HOSTS, exact=frozenset({"https://example.net"})), origin)


@pytest.mark.parametrize("exact", [None, frozenset(), frozenset({"https://example.com"})])
def test_no_origin_passes_since_no_browser_sent_it(exact):
    assert allows(OriginRule(hosts=(), exact=exact))


@pytest.mark.parametrize("origin", [b"https://example.com", b"null"])
def test_two_origins_are_refused(origin):
    exact = frozenset({"https://example.com", "null"})
    assert allows(OriginRule(hosts=(), exact=exact), origin)
    assert not allows(OriginRule(hosts=(), exact=exact), origin, origin)
    assert not allows(OriginRule(hosts=(), exact=exact), b"https://example.com", b"null")


@pytest.mark.parametrize(
    ("entry", "origin", "is_allowed"),
    [
        ("https://example.com", b"https://example.com", True),
        ("https://example.com", b"https://example.com:443", True),
        ("https://example.com:443", b"https://example.com", True),
        ("https://example.com:0443", b"https://example.com", True),
        ("http://example.com:80", b"http://example.com", True),
        ("HTTPS://Example.com", b"https://EXAMPLE.com", True),
        ("http://[::1]:8000", b"http://[::1]:8000", True),
        ("tauri://localhost", b"tauri://localhost", True),
        ("https://example.com", b"http://example.com", False),
        ("https://example.com", b"http://example.com:443", False),
        ("https://example.com", b"https://example.com:8443", False),
        ("https://example.com", b"https://www.example.com", False),
        ("https://example.com", b"https://example.com.evil.test", False),
        ("tauri://localhost", b"tauri://localhost:80", False),
        ("tauri://localhost", b"tauri://localhost:0", False),
        ("http://a.test:0", b"http://a.test:00", True),
        ("null", b"null", True),
        ("null", b"NULL", False),
        ("null", b"https://null", False),
        ("https://null", b"null", False),
        ("https://example.com", b"null", False),
        ("file://", b"file://", True),
        ("file://", b"file:///home", False),
        ("file://", b"null", False),
        ("null", b"file://", False),
    ],
)
def test_listed_origin_counts_by_scheme_host_and_port(entry, origin, is_allowed):
    assert allows(OriginRule(hosts=("*",), exact=frozenset({entry})), origin) is is_allowed


@pytest.mark.parametrize(
    ("entry", "origin", "is_allowed"),
    [
        ("https://*.example.com", b"https://www.example.com", True),
        ("https://*.example.com", b"https://a.b.example.com", True),
        ("https://*.example.com", b"https://WWW.example.com:443", True),
        ("HTTPS://*.Example.com", b"https://www.example.com", True),
        ("https://*.example.com:8443", b"https://www.example.com:8443", True),
        ("https://*.example.com", b"https://example.com", False),
        ("https://*.example.com", b"https://wwwexample.com", False),
        ("https://*.example.com", b"https://.example.com", False),
        ("https://*.example.com", b"https://www.example.com.evil.test", False),
        ("https://*.example.com", b"http://www.example.com", False),
        ("https://*.example.com", b"https://www.example.com:8443", False),
        ("https://*.example.com", b"https://*.example.com", False),
        ("https://*.example.com", b"null", False),
    ],
)
def test_leading_wildcard_stands_for_hosts_below_its_own(entry, origin, is_allowed):
    rule = OriginRule(hosts=("*",), exact=frozenset({entry, "https://other.test"}))
    assert allows(rule, origin) is is_allowed


SAME_HOST = [
    (b"https://example.com", b"example.com", True),
    (b"https://example.com", b"EXAMPLE.com", True),
    (b"https://example.com", b"example.com:443", True),
    (b"http://example.com:8000", b"example.com:8000", True),
    (b"http://[::1]:8000", b"[::1]:8000", True),
    (b"https://example.com", b"example.com:80", False),
    (b"http://example.com:8000", b"example.com", False),
    (b"https://evil.test", b"example.com", False),
    (b"https://evil.test", b"example.com@evil.test", False),
    (b"https://example.com", b"", False),
    (b"null", b"null", False),
]


@pytest.mark.parametrize("exact", [None, frozenset({"self"})], ids=["from hosts", "self"])
@pytest.mark.parametrize(("origin", "host", "is_allowed"), SAME_HOST)
def test_where_every_host_is_allowed_the_origin_is_the_host(origin, host, is_allowed, exact):
    assert allows(OriginRule(hosts=("*",), exact=exact), origin, host=host) is is_allowed


def test_wildcard_beside_a_host_is_no_looser():
    assert not allows(OriginRule(hosts=("evil.test", "*")), b"https://evil.test")


def test_self_is_no_host_that_django_would_refuse():
    rule = OriginRule(hosts=("example.com",), exact=frozenset({"self"}))
    assert allows(rule, b"https://example.com", host=b"example.com")
    assert not allows(rule, b"https://rebound.test", host=b"rebound.test")


def test_self_stands_beside_other_origins():
    rule = OriginRule(hosts=("example.com",), exact=frozenset({"self", "https://app.test"}))
    assert allows(rule, b"https://app.test")
    assert not allows(rule, b"http://app.test")


@pytest.mark.parametrize("hosts", [[], [b"example.com", b"example.com"]])
def test_without_one_host_no_origin_equals_it(hosts):
    headers = [(b"origin", b"https://example.com"), *((b"host", host) for host in hosts)]
    assert not OriginRule(hosts=("*",)).allows(headers)


@pytest.mark.parametrize(
    "entry",
    [
        "https://example.com",
        "http://localhost:3000",
        "http://[::1]",
        "https://*.example.com",
        "https://*.example.com:8443",
        "null",
        "file://",
        "self",
    ],
)
def test_list_may_have_origins_and_three_words(entry):
    assert mistake_in(entry) is None


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        ("https://example.com/", "slash"),
        ("https://*.example.com/", "slash"),
        ("example.com", '"https://example.com"'),
        ("", '"https://'),
        ("*", '"https://'),
        ("https://*", "wildcard"),
        ("https://a.*.com", "wildcard"),
        ("https://*.*.com", "wildcard"),
        ("https://*example.com", "wildcard"),
        ("https://*.[::1]", "wildcard"),
        ("https://example.com ", "white space"),
        ("https://example.com/path", "scheme,"),
        ("file:///", "scheme,"),
        ("https://user@example.com", "scheme,"),
        ("https://ex\xe4mple.com", "Punycode"),
        ("https://\udcff.com", "Punycode"),
        (b"https://example.com", "text"),
        (None, "text"),
    ],
)
def test_other_entry_of_the_list_is_a_mistake_with_a_remedy(entry, remedy):
    assert remedy in mistake_in(entry)


@given(st.binary(max_size=40), st.binary(max_size=40))
@pytest.mark.asvs("4.4.2")
def test_any_origin_and_host_get_an_answer_and_nobody_slips_in(origin, host):
    assert not allows(OriginRule(hosts=("example.com",)), b"https://evil.test" + origin, host=host)
    assert not allows(OriginRule(hosts=("example.com",)), origin + b".evil.test", host=host)
