"""No secret survives `redact` in a shape that is known, whatever stands around it.

An input is a byte that chooses the shape, one that chooses the secret's length, and the text
around it.
"""

import time

from channels_token_auth.core.redaction import MARK, redact
from tests.core.redaction_shapes import SHAPES

__all__ = ["SEEDS", "check"]

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=%$!*"
SEEDS = (
    *(bytes([number, 40]) + b"connection open" for number in range(len(SHAPES))),
    *(bytes([number, 9]) + shape.encode() for number, shape in enumerate(SHAPES)),
    b"\x00\xffBearer 0123456789abcdef0123456789abcdef\\\"'",
    b'\x00\xff"token":\n\\\\"abc\\\\"\ntoken=\'a\'b\'',
    b'\x00\xff> TEXT \'{"type":"auth"...abc\' [99 bytes]',
    b"\x00\xfftok%65n=\\u0074oken\\n",
)
LONG = 20_000
# Seconds of processor time; 10 ms are usual.
LIMIT = 2.0


def check(data: bytes) -> None:
    shape = SHAPES[data[0] % len(SHAPES)] if data else SHAPES[0]
    around = data[2:].decode(errors="replace")
    secret = _secret(data[1:])
    if secret in around or secret in shape:
        return
    text = f"{around}\n{shape.format(secret)}\n{around}"
    redacted = redact(text)
    assert secret not in redacted, "a secret survived"
    assert MARK in redacted
    assert redact(redacted) == redacted, "redacting twice changed more"
    if around and sum(data) % 256 == 0:
        began = time.process_time()
        redact(around * (LONG // len(around) + 1))
        assert time.process_time() - began < LIMIT, "not linear"


def _secret(data: bytes) -> str:
    """Eight characters or more, the last of them no punctuation of a sentence."""
    length = 7 + data[0] % 64 if data else 7
    letters = (data * length)[:length].ljust(length, b"\x07")
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in letters) + "7"
