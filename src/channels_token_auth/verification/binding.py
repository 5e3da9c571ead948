"""Build the backends of a route, and compare them with those of another: by class and options."""

import copyreg
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from .. import conf
from ..backends.contract import TokenBackend
from ..conf.wrong_options import describe_wrong_options
from .scoped import ScopedBackend

__all__ = [
    "bindings",
    "build_backend",
    "build_backends",
    "built_with",
    "note_options",
    "when_rebuilt",
]

# To build the backends of a site takes as long as a short test, and a suite overrides these often.
_NEVER_BUILT_WITH = frozenset(
    {"CHANNEL_LAYERS", "MIDDLEWARE", "PASSWORD_HASHERS", "ROOT_URLCONF", "TEMPLATES"}
)
_BUILT_WITH = "channels_token_auth_built_with"


def build_backend(spec: conf.BackendSpec) -> TokenBackend:
    """Build the backend of an entry of BACKENDS. ImproperlyConfigured names a wrong entry."""
    kind: Any = None
    try:
        # One try around all: importing runs the site's code, and so does the constructor. Which of
        # them raised, the message names.
        kind = import_string(spec.path)
        backend = kind(**spec.options)
        note_options(backend, spec.options)
        if spec.scopes is not None:
            backend = ScopedBackend(backend, import_string(spec.scopes))
        if spec.delegated is not None:
            backend.is_delegated = spec.delegated
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        entry = f'CHANNELS_TOKEN_AUTH["BACKENDS"][{spec.place}]'
        why = describe_wrong_options(kind, error) if kind else error
        sentence = f"{entry}: the token backend {spec.path!r} cannot be used: {why}"
        raise ImproperlyConfigured(sentence) from error
    return cast("TokenBackend", backend)


def build_backends(specs: Sequence[conf.BackendSpec]) -> list[TokenBackend]:
    """Build the backends of BACKENDS. ImproperlyConfigured has a line for each wrong entry."""
    backends, errors = [], []
    for spec in specs:
        try:
            backends.append(build_backend(spec))
        except ImproperlyConfigured as error:
            errors.append(error)
    if errors:
        raise ImproperlyConfigured("\n".join(map(str, errors))) from errors[0]
    return backends


def when_rebuilt(receiver: Callable[..., None]) -> Callable[..., None]:
    """Return a receiver of `setting_changed` for settings that a backend may be built with."""

    def receive(*, setting: str, **given: Any) -> None:
        if setting not in _NEVER_BUILT_WITH:
            receiver(setting=setting, **given)

    return receive


def note_options(backend: Any, options: Mapping[str, Any]) -> None:
    """Store the options on the backend that was built with them."""
    # A class with slots cannot store them. Only its path and its name are compared.
    if hasattr(backend, "__dict__"):
        # Add the name, so that a default that is given equals one that is left out.
        vars(backend)[_BUILT_WITH] = _path(backend), _canonical({**options, "name": backend.name})


def bindings(backend: TokenBackend) -> list[str]:
    """Return the backend's digest, as tickets store it, for each key of the site: current first."""
    return conf.site_keys().names("backend", *built_with(backend))


def built_with(backend: TokenBackend) -> tuple[str, str]:
    """Return the backend's class and options, which are equal for equal backends."""
    unnoted = _path(backend), _canonical({"name": backend.name})
    found: tuple[str, str] = getattr(backend, _BUILT_WITH, unnoted)
    return found


def _path(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def _canonical(options: Mapping[str, Any]) -> str:
    """Return the options as text that is the same in every process."""
    # Objects by their contents; or by their classes only, if one contains itself.
    for plain in (_plain, _plain_by_class):
        # Keys of several types, which cannot be sorted, raise TypeError.
        with suppress(RecursionError, TypeError, ValueError):
            return json.dumps(options, sort_keys=True, default=plain)
    return repr(options)


def _plain(value: Any) -> Any:
    """Return an object by its class and by its contents, as `copy` and `pickle` find them."""
    found = _plain_by_class(value)
    if hasattr(value, "__qualname__") or isinstance(value, bytes | set | frozenset | Mapping):
        return found
    # Two objects of one class may stand for two issuers: a ticket of one must not open the route of
    # the other.
    reduce = copyreg.dispatch_table.get(type(value))
    try:
        reduced: Any = reduce(value) if reduce else value.__reduce_ex__(2)
    except Exception:  # noqa: BLE001 - of any class that cannot be copied, such as a lock
        return found
    return [*found, *reduced[1:3]] if isinstance(reduced, tuple) else [*found, reduced]


def _plain_by_class(value: Any) -> Any:
    if isinstance(value, bytes):
        return ["bytes", value.hex()]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return dict(value)
    # By its name, since a repr contains an address, which differs in each process.
    named = value if hasattr(value, "__qualname__") else type(value)
    return [named.__module__, named.__qualname__]
