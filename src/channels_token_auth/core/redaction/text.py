"""Remove secrets from text that a server, a library or a traceback wrote about a handshake.

The time is linear in the length of the text, even of a hostile one: no two repetitions of a pattern
can match the same character, and none is tried twice on the same run. Where the end of a secret is
ambiguous, the longer match is masked.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from .bare_token import is_bare_token

__all__ = ["MARK", "NAMES", "redact"]

MARK = "[redacted]"
NAMES = frozenset({"token", "ticket"})
"""Names of secrets in this library's queries, cookies and messages."""

# No group is repeated possessively: Python gets that wrong before 3.11.5, and Debian 12 has 3.11.2.
# They need not be: a value is the end of its pattern, so that nothing after it causes backtracking.

# A quote ends a value if punctuation follows it; any other quote belongs to the value.
_BEHIND = r"""(?=[\s,;:)\]}>&"'\\]|\Z)"""
_CLOSING = rf"""\\*+["']{_BEHIND}"""
# A value without quotes ends at a blank, at `&` (query) or at `,` (list), or at a closing quote.
_QUOTE_INSIDE = rf"""(?!{_CLOSING})(?:\\++["']?|["'])"""
_IN_QUERY = rf"""(?:[^\x00-\x20\x7f&"'\\]|{_QUOTE_INSIDE})+"""
_IN_LIST = rf"""(?:[^\x00-\x20\x7f,"'\\]|{_QUOTE_INSIDE})+"""
# A quoted value ends at the same quote after the same number of backslashes (as in a repr of JSON).
_OPENING = r"""b?(?P<quote>\\*+["'])"""
_OPENS_HERE = rf"""(?=b?(?!{_CLOSING})\\*+["'])"""
_IN_QUOTES = rf"""(?:(?!(?<!\\)(?P=quote){_BEHIND})[^\r\n])+"""
# A header's value ends with its line: in a repr, at the escaped characters \r\n.
_IN_LINE = rf"""(?:[^\r\n"'\\]|(?!\\++r\\++n){_QUOTE_INSIDE})+"""
# What may follow a bare value directly, as in `Socket(path=/?token=abc)`.
_PUNCTUATION = ".,:;)}>"

_FLAGS = re.ASCII | re.IGNORECASE | re.MULTILINE
_AUTHORIZATION = r"""authorization(?:\\*+["'])?"""
_SCHEME = r"(?:[a-z-]{1,16}[ \t]++)?"
_FIXED = (
    # 'authorization': 'Bearer abc', authorization="abc"
    rf"({_AUTHORIZATION}\s*+[:=]\s*+\[?{_OPENING}{_SCHEME}){_IN_QUOTES}",
    # (b'authorization', b'Bearer abc'), but not a list of header names
    rf"({_AUTHORIZATION}\s*+,\s*+{_OPENING}[a-z-]{{1,16}}[ \t]++){_IN_QUOTES}",
    # > authorization: abc
    rf"(^[<> \t]*+(?:proxy-)?authorization:[ \t]*+{_SCHEME}){_IN_LINE}",
    # -H "Authorization: Bearer abc"
    rf"(authorization[ \t]*+[:=][ \t]*+(?:bearer|token|jwt|basic|digest)[ \t]++){_IN_LINE}",
    # An access log that was asked for the header's value
    r"((?<![\w-])(?:bearer|token)[ \t]++)(?=[a-z._~+/-]*+[0-9])[\w.~+/-]{16,}+=*+",
    # Sec-WebSocket-Protocol: token-auth.v1, bearer.abc (names of subprotocols have a case); but not
    # the `bearer.<token>` of a remedy
    (
        r"((?<![\w./-])(?-i:(?:base64url\.)?bearer\.(?:authorization\.k8s\.io\.|phx\.)?))"
        rf"""(?!<token>(?:["'\s,\]]|\Z)){_IN_LIST}"""
    ),
    # A later fragment of a message (RFC 6455 §5.4), as websockets shows it: < CONT 'en":"abc"}' [9
    # bytes]. It may contain the token of an `auth` frame, without a sign of it: mask all of it.
    r"(^[<>] CONT ).+?(?= \[[^\[\n]*$|$)",
    # The end of a long frame, as websockets shows it: < TEXT '{"type":"auth",...abc"}' [99 bytes]
    r"(^[<>] (?:TEXT|BINARY|CONT) (?=.*auth).*?\.{3}).+?(?= \[[^\[\n]*$|$)",
    # A binary frame in hexadecimal, as websockets before 17 shows it: < BINARY 7b 22 74 79
    # [99 bytes]. JSON begins with 7b, after blanks.
    r"(^[<>] BINARY (?=(?:(?:20|09|0a|0d) )*7b )).+?(?= \[[^\[\n]*$|$)",
)

# Offered subprotocols. An entry may be a token by itself: `new WebSocket(url, [token])`.
# sec-websocket-protocol: chat, 9944b09…, and in a scope: 'subprotocols': ['chat', '9944b09…']
_OFFER = re.compile(
    r"""((?:sec-websocket-protocol|subprotocols)(?:\\*+["'])?\s*+[:=,]\s*+)"""
    # Up to the end of the line, the list or the tuple; the mark of another pattern is no end.
    r"((?:\[redacted\]|[^\r\n\])])*)",
    _FLAGS,
)
_ENTRY = re.compile(r"""[^\s,;"'\\\[\](){}]+""")


def redact(text: str, names: frozenset[str] = NAMES) -> str:
    """Return the text with `MARK` in the place of every secret.

    Secrets are the values of `names` in queries, cookies, forms, JSON and reprs, of
    `Authorization`, and of subprotocol entries that carry a token, or are one by themselves.
    Redacting twice changes nothing more.
    """
    hints, patterns = _rules(names)
    lowered = text.lower()
    # A loop and no generator, which takes twice as long: audit records redact short texts.
    for hint in hints:
        if hint in lowered:
            break
    else:
        return text
    while True:
        for pattern in patterns:
            text = pattern.sub(_mark, text)
        marked = _OFFER.sub(_mark_bare_tokens, text)
        if marked == text:
            return text
        # A mark may hide where a value ends. Each round leaves fewer tokens.
        text = marked


def _mark(match: re.Match[str]) -> str:
    """Return the match with its secret replaced by the mark."""
    secret = match[0][len(match[1]) :]
    is_quoted = "quote" in match.re.groupindex
    end = "" if is_quoted else secret[len(secret.rstrip(_PUNCTUATION)) :]
    return match[1] + MARK + end if len(end) < len(secret) else match[0]


def _mark_bare_tokens(offer: re.Match[str]) -> str:
    """Return the offer with a mark for each entry that is a token by itself."""
    return offer[1] + _ENTRY.sub(
        lambda entry: MARK if is_bare_token(entry[0]) else entry[0], offer[2]
    )


@lru_cache(maxsize=16)
def _rules(names: frozenset[str]) -> tuple[tuple[str, ...], tuple[re.Pattern[str], ...]]:
    """Return words, one of which is in each text with a secret; and patterns that find secrets."""
    fixed = ("auth", "bearer", "protocol", "binary ", "cont ", "%", "\\u00")
    hints = (*fixed, *(name.lower() for name in names))
    patterns = (*_named(names), *_FIXED)
    return hints, tuple(re.compile(pattern, _FLAGS) for pattern in patterns)


def _named(names: frozenset[str]) -> Iterator[str]:
    start = r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9a-f][0-9a-f]))"
    name = start + "(?:" + "|".join(_spellings(name) for name in sorted(names)) + ")"
    # "token": "abc"
    yield rf"""({name}\\*+["']\s*+:\s*+\[?{_OPENING}){_IN_QUOTES}"""
    # As an argument: token='abc'
    yield rf"({name}(?:=|%3d){_OPENS_HERE}{_OPENING}){_IN_QUOTES}"
    # /?token=abc&x=1, and the same inside another query
    yield rf"({name}(?:=|%3d))(?!{_OPENS_HERE}){_IN_QUERY}"


def _spellings(name: str) -> str:
    r"""Return a pattern for a name: any character may be percent-encoded, or `\uXXXX` in JSON."""
    return "".join(
        rf"(?:{re.escape(char)}|%(?:{ord(char):02x}|{ord(char.swapcase()):02x})"
        rf"|(?<!\\)\\++u{ord(char):04x})"
        for char in name
    )
