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

__all__ = ["buildable_backends", "each_backend", "order"]

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
"""The dotted paths of the library's backends. As texts, because importing one needs its package."""


def each_backend() -> Iterator[checks.CheckMessage]:
    """Report backends that cannot be built, that share a name, or whose own checks fail."""
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
            f"Several BACKENDS have the name {name!r}: sweeps and revocations could not"
            " distinguish their tokens.",
            hint="Give each a name of its own, in its OPTIONS as {'name': '…'}.",
            id="channels_token_auth.E005",
        )


def buildable_backends() -> Iterator[TokenBackend]:
    """Yield the backends that can be built, for other checks. `each_backend` reports the others."""
    for spec in conf.configuration().backends:
        with suppress(ImproperlyConfigured):
            yield build_backend(spec)


def _remedy(spec: conf.BackendSpec) -> str:
    """Return the remedy for a backend that cannot be built."""
    try:
        import_string(spec.path)
    except ImportError as error:
        module = spec.path.removeprefix(OURS).split(".")[0]
        # A module of ours that is missing is a misspelt path; any other is a missing package.
        # Django's `import_string` gives no name if the module is there and the class is not.
        is_foreign = error.name is not None and not error.name.startswith("channels_token_auth")
        if spec.path.startswith(OURS) and is_foreign:
            extra = EXTRAS.get(module, module)
            return f'Install what it needs: pip install "channels-token-auth[{extra}]"'
        # Compared by their ends: with the common beginning, any two paths would be similar.
        ends = {_end(path): path for path in OWN}
        if close := get_close_matches(_end(spec.path), ends, n=1, cutoff=0.65):
            return f'Did you mean "{ends[close[0]]}"?'
    return "Correct the entry in BACKENDS: the dotted paths, and the OPTIONS that it takes."


def _end(path: str) -> str:
    """Return the last module and the class of a dotted path."""
    return ".".join(path.split(".")[-2:])


def order() -> Iterator[checks.CheckMessage]:
    """Warn about a backend that is listed before one with more authority over the same tokens."""
    # A backend without an authority may have any place in the list.
    ranked = [
        (each.authority, each.name) for each in buildable_backends() if each.authority is not None
    ]
    # Neighbours suffice: a list in which all of them are in order is sorted.
    for (one, first), (other, second) in pairwise(ranked):
        if one < other:
            yield checks.Warning(
                f"BACKENDS has {first!r} before {second!r}: a token that both accept is"
                " handled by the first, which detects fewer revocations.",
                hint=f"Put {second!r} first.",
                id="channels_token_auth.W006",
            )
