"""No Origin passes that another parser of URLs reads as one that must not.

An input is a byte that chooses a rule, and lines: a Host, and then each Origin.
"""

from urllib.parse import urlsplit

from channels_token_auth.core.handshake.origin import OriginRule

__all__ = ["SEEDS", "check"]

SEEDS = (
    b"",
    b"\x00\nexample.com\nhttps://example.com",
    b"\x00\nexample.com\nhttps://api.example.org:8443",
    b"\x01\nexample.com:8000\nhttp://example.com:8000",
    b"\x01\n[::1]:80\nhttp://[::1]",
    b"\x02\nexample.com\nhttps://EXAMPLE.com:443",
    b"\x02\nexample.com\nhttps://example.com.evil.example",
    b"\x02\nexample.com\nhttps://evil.example\nhttps://example.com",
    b"\x03\nexample.com\nnull",
    b"\x04\napi.example.org\nhttps://api.example.org",
    b"\x00\nexample.com\nhttps://user@example.com/path?query",
)
HOSTS = ("example.com", ".example.org")
RULES = (
    OriginRule(hosts=HOSTS),
    OriginRule(hosts=("*",)),
    OriginRule(hosts=HOSTS, exact=frozenset({"https://example.com"})),
    OriginRule(hosts=HOSTS, exact=frozenset({"null"})),
    OriginRule(hosts=HOSTS, exact=frozenset({"self"})),
)
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def check(data: bytes) -> None:
    number, *lines = data.split(b"\n")
    host, origins = b"".join(lines[:1]), lines[1:]
    rule = RULES[number[0] % len(RULES) if number else 0]
    headers = [(b"host", host), *((b"origin", origin) for origin in origins)]
    if not rule.allows(headers) or not origins:
        return
    assert len(origins) == 1, "one of several passed"
    if origins == [b"null"]:
        assert "null" in (rule.exact or ())
        return
    # Whatever is not ASCII must not have come this far.
    origin = _site(origins[0].decode("ascii"))
    if rule.exact == {"https://example.com"}:
        assert origin == ("https", "example.com", 443)
        return
    assert "*" in rule.hosts or _is_known(origin[1]), "an unknown host passed"
    if "*" in rule.hosts or rule.exact:
        assert origin == _site(f"{origin[0]}://{host.decode('ascii')}"), "another host passed"


def _site(origin: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(origin)
    assert not any(parts[2:]), "a path, query or fragment passed"
    assert "@" not in parts.netloc
    port = parts.netloc.rpartition("]")[2].partition(":")[2]
    return parts.scheme, parts.hostname, int(port or 0) or PORTS.get(parts.scheme)


def _is_known(hostname: str | None) -> bool:
    return hostname in ("example.com", "example.org") or str(hostname).endswith(".example.org")
