"""Call one backend of the chain. Blocks while the backend queries its store."""

from collections.abc import Sequence
from functools import partial

from ...backends.contract import TokenBackend, Unrecognized
from ...backends.replicas import ask_primary_before_rejection
from ...core.credentials import Credential
from ...core.identity import Verdict
from .question import put

__all__ = ["ask_alone", "consult", "is_open", "may_recognize"]


def ask_alone(backend: TokenBackend, credential: Credential) -> Verdict:
    """Return the verdict of one backend, without the others and the denylist. Blocks."""
    verdict: Verdict
    (verdict,) = put(partial(consult, backend), [credential])
    return verdict


def is_open(verdict: Verdict) -> bool:
    """Return True if the next backend has to be asked."""
    return verdict is None or isinstance(verdict, Unrecognized)


def may_recognize(backend: TokenBackend, credential: Credential) -> bool:
    """Return True if the backend has to be asked about the credential. Runs no query."""
    try:
        return backend.recognizes(credential)
    except Exception:  # noqa: BLE001 - it is called again in its lane, which logs errors
        return True


def consult(backend: TokenBackend, credentials: Sequence[Credential]) -> Sequence[Verdict]:
    """Return the backend's verdicts, None for what it does not recognise."""
    recognized = [backend.recognizes(credential) for credential in credentials]
    mine = [c for c, is_mine in zip(credentials, recognized, strict=True) if is_mine]
    # Compare the numbers: if one verdict is missing, the next ones belong to other tokens.
    answers = ask_primary_before_rejection(backend, backend.authenticate, mine) if mine else []
    if len(answers) != len(mine):
        raise TypeError(f"A token backend gave {len(answers)} verdicts on {len(mine)} tokens.")
    left = iter(answers)
    return [next(left) if is_mine else None for is_mine in recognized]
