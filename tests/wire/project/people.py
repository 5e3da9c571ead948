"""The tokens of the people in the database; `fill` puts them there."""

__all__ = ["ALICE", "BOB", "CANARIES", "INACTIVE", "TOKENS", "UNKNOWN"]

# Forty hex digits each, like DRF's own keys, and easy to tell apart in an output.
ALICE = "a11ce" + "0" * 35
BOB = "b0b" + "0" * 37
INACTIVE = "1dea1" + "0" * 35
UNKNOWN = "bad" + "0" * 37

# A good token for each way in, so that a log that shows one also tells how it came there.
CANARIES = {
    name: f"ca9a41{number:04}" + "d" * 30
    for number, name in enumerate(
        ["header", "subprotocol", "base64", "query", "cookie", "inside", "outside", "first"]
    )
}

TOKENS = {"alice": ALICE, "bob": BOB, "inactive": INACTIVE, **CANARIES}
