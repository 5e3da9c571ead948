"""Check the names by which a caller selects tokens: of backends, of issuers and of labels.

A misspelt name selects no token. Without these checks, the call would return as if the tokens were
revoked. Rows of `connections()` are not checked: a node of another release may have other names.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial

from channels.routing import get_default_application
from django.conf import settings
from django.core.signals import setting_changed
from django.urls import get_script_prefix, set_script_prefix

from ..backends.contract import Revocations, TokenBackend
from ..backends.session import session_backend
from ..cluster.local_nodes import not_serving, serves_sockets
from ..verification.authenticator import all_backends
from ..verification.route import revocable_backends

__all__ = ["known_backends", "require_known", "require_known_labels"]

_tried: set[str] = set()
"""The values of ASGI_APPLICATION that were imported, or could not be."""


def known_backends() -> list[TokenBackend]:
    """Return the backends whose tokens open sockets: those of BACKENDS, and of all routes.

    A process that serves no sockets imports ASGI_APPLICATION for that, once: an import that fails
    would run a part of the module again at each revocation.
    """
    path = getattr(settings, "ASGI_APPLICATION", None)
    if path and path not in _tried and not serves_sockets():
        # Marked afterwards, so that other threads do not go on without the routes meanwhile: they
        # import the same module, for which Python has them wait.
        _load_routes()
        _tried.add(path)
    return revocable_backends()


def require_known(*, backends: Collection[str] | None, issuer: str | None) -> None:
    """Raise ValueError for a backend that this process does not have, and for an unknown issuer.

    A process has the backends of BACKENDS and those of the routes in ASGI_APPLICATION, which is
    imported if a name is unknown. `backends`: the wanted ones; None: all of them. An issuer is
    unknown if the options of all these name other issuers.
    """
    _with_routes(partial(_require, backends=backends, issuer=issuer))


def require_known_labels(
    labels: Iterable[tuple[str, str]], *, backends: Collection[str] | None
) -> None:
    """Raise ValueError for the name of a label that no token of these backends can have.

    Routes of ASGI_APPLICATION count as in `require_known`.
    """
    _with_routes(partial(_require_labels, labels=tuple(labels), backends=backends))


def _with_routes(require: Callable[[Sequence[TokenBackend]], None]) -> None:
    """Check the backends of this process; if a name is unknown, those of all routes, too."""
    try:
        require(_known())
    except ValueError:
        _load_routes()
        require(_known())


def _require(
    known: Sequence[TokenBackend], *, backends: Collection[str] | None, issuer: str | None
) -> None:
    names = {each.name for each in known}
    for name in backends or ():
        if name not in names:
            raise ValueError(
                f"No backend is called {name!r}. Use one of {_listed(names)}, or list it in"
                " BACKENDS or in a route of ASGI_APPLICATION."
            )
    accepted = _issuers([each for each in known if backends is None or each.name in backends])
    if issuer is not None and accepted is not None and issuer not in accepted:
        raise ValueError(
            f"No token is from the issuer {issuer!r}: the backends accept"
            f" {_listed(accepted) if accepted else 'tokens without an issuer'} only."
        )


def _require_labels(
    known: Sequence[TokenBackend],
    *,
    labels: Iterable[tuple[str, str]],
    backends: Collection[str] | None,
) -> None:
    names = _label_names([each for each in known if backends is None or each.name in backends])
    unknown = sorted({name for name, _ in labels} - names) if names is not None else []
    if unknown:
        others = f"Use one of {_listed(names)}, or add" if names else "Add"
        raise ValueError(
            f"No token has a label {unknown[0]!r}. {others} the claim to the option 'labels' of a"
            " backend."
        )


def _load_routes() -> None:
    """Import ASGI_APPLICATION, so that the backends of its routes are known."""
    # A command, a WSGI worker or a task queue has not imported it. Without one, or with one that
    # cannot be imported here, BACKENDS is all that this process has.
    prefix = get_script_prefix()
    # SystemExit: some exit if a variable of the server's environment is missing.
    with suppress(Exception, SystemExit), not_serving():
        get_default_application()
    # `django.setup()` in it has set that of the site, while a view may run under another one.
    set_script_prefix(prefix)


def _known() -> Sequence[TokenBackend]:
    known = revocable_backends()
    # Every route accepts the tickets of sessions, even where BACKENDS does not list them.
    return [*known, session_backend(known), *all_backends()]


def _issuers(backends: Sequence[TokenBackend]) -> set[str] | None:
    """Return the issuers whose tokens are accepted; None if that may be any."""
    found: set[str] = set()
    for each in backends:
        accepted: Sequence[str] = getattr(each, "issuers", ())
        # The tokens of a row, and sessions, are this site's own: they have no issuer.
        if not accepted and each.revocations is not Revocations.ROWS and not each.follows_session:
            return None
        found.update(accepted)
    return found


def _label_names(backends: Sequence[TokenBackend]) -> set[str] | None:
    """Return the names of labels that tokens may have; None if that may be any."""
    found: set[str] = set()
    for each in backends:
        if getattr(each, "has_labels", False):  # a site's backend may not declare it
            names: Collection[str] | None = getattr(each, "label_names", None)
            if names is None:
                return None
            found.update(names)
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(set(names)))


setting_changed.connect(lambda **_: _tried.clear(), weak=False)
