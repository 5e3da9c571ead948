"""Check that the backends can be built, and that their order makes sense."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from difflib import get_close_matches
from itertools import pairwise

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import conf
from ..backends.contract import TokenBackend
from ..verification.authenticator import build_backend

__all__ = ["each_backend", "order", "those_that_can_be_built"]

OURS = "channels_token_auth.backends."
EXTRAS = {"rest_framework": "drf"}
"""Extras whose name differs from their backend's module."""
OWN = tuple(
    OURS + name
    for name in (
        "allauth.AllauthJWTBackend",
        "allauth.AllauthSessionTokenBackend",
        "drf.DRFTokenBackend",
        "introspection.IntrospectionBackend",
        "jwt.JWTBackend",
        "knox.KnoxTokenBackend",
        "oauth2.OAuth2Backend",
        "rest_framework.RESTFrameworkBackend",
        "session.SessionBackend",
        "simplejwt.SimpleJWTBackend",
    )
)
"""The library's own backends, by name: importing one needs its package."""


def each_backend() -> Iterator[checks.CheckMessage]:
    """Each must be there, have a name of its own, and be content with its options."""
    names: Counter[str] = Counter()
    for spec in conf.configuration().backends:
        try:
            backend = build_backend(spec)
        except ImproperlyConfigured as error:
            yield checks.Error(str(error), hint=_remedy(spec), id="channels_token_auth.E002")
        else:
            names[backend.name] += 1
            yield from backend.check(conf.configuration().site)
    for name in (name for name, count in names.items() if count > 1):
        yield checks.Error(
            f"Several BACKENDS have the name {name!r}: sweeps and revocations could not tell their"
            " tokens apart.",
            hint="Give each a name of its own, in its OPTIONS as {'name': '…'}.",
            id="channels_token_auth.E005",
        )


def those_that_can_be_built() -> Iterator[TokenBackend]:
    """For other checks: of the rest, `each_backend` tells."""
    for spec in conf.configuration().backends:
        with suppress(ImproperlyConfigured):
            yield build_backend(spec)


def _remedy(spec: conf.BackendSpec) -> str:
    """Return the remedy for a backend that cannot be built."""
    try:
        import_string(spec.path)
    except ImportError as error:
        module = spec.path.removeprefix(OURS).split(".")[0]
        is_foreign = error.name is not None and not error.name.startswith("channels_token_auth")
        if spec.path.startswith(OURS) and is_foreign:
            extra = EXTRAS.get(module, module)
            return f'Install what it needs: pip install "channels-token-auth[{extra}]"'
        ends = {_end(path): path for path in OWN}  # as the beginning is the same for all
        if close := get_close_matches(_end(spec.path), ends, n=1, cutoff=0.65):
            return f'Did you mean "{ends[close[0]]}"?'
    return "Correct the entry in BACKENDS: the dotted paths, and the OPTIONS that it takes."


def _end(path: str) -> str:
    """Return the last module and the class of a dotted path."""
    return ".".join(path.split(".")[-2:])


def order() -> Iterator[checks.CheckMessage]:
    """Warn about a backend that is listed before one that knows more about the same tokens."""
    ranked = [
        (each.authority, each.name)
        for each in those_that_can_be_built()
        if each.authority is not None
    ]
    for (one, first), (other, second) in pairwise(ranked):
        if one < other:
            yield checks.Warning(
                f"BACKENDS has {first!r} before {second!r}: a token that both accept is"
                " handled by the first, which detects fewer revocations.",
                hint=f"Put {second!r} first.",
                id="channels_token_auth.W006",
            )
