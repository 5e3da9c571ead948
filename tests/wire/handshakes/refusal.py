"""How a refusal is answered in each mode, whoever asks."""

from tests.wire.answers import PROTOCOL, Refused
from tests.wire.handshakes.case import OVERSIZED, Case, bearer
from tests.wire.project.people import UNKNOWN

__all__ = ["REFUSAL"]

REFUSAL = [
    *(
        Case(name=f"{policy}, {name}", policy=policy, answer=answer, **request)
        for policy, visible in [("close", True), ("deny", False)]
        for name, answer, request in [
            ("no token", Refused(slug="token_missing", visible=visible), {}),
            (
                "wrong",
                Refused(slug="token_invalid", visible=visible),
                {"headers": (bearer(UNKNOWN),), "queries": 1},
            ),
            (
                "wrong, on our protocol",
                Refused(
                    slug="token_invalid", visible=visible, subprotocol=PROTOCOL if visible else None
                ),
                {"offers": (PROTOCOL, f"bearer.{UNKNOWN}"), "queries": 1},
            ),
        ]
    ),
    Case(
        name="close, oversized all the same",
        policy="close",
        headers=(bearer("f" * 5120),),
        answer=OVERSIZED,
    ),
]
