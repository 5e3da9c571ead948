"""Check that ASGI_APPLICATION is not the default application, which only answers HTTP."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.core import checks

__all__ = ["application"]


def application() -> Iterator[checks.CheckMessage]:
    """Report an `asgi.py` as `startproject` writes it, which serves no WebSocket."""
    path = getattr(settings, "ASGI_APPLICATION", None)
    if isinstance(path, str) and _is_for_http_only(path):
        yield checks.Warning(
            f"ASGI_APPLICATION {path!r} is what get_asgi_application() returns, which answers"
            " every WebSocket with an error 500.",
            hint='Wrap it: ProtocolTypeRouter({"http": get_asgi_application(), "websocket":'
            " TokenAuthMiddlewareStack(URLRouter([…]))}).",
            id="channels_token_auth.W017",
        )


def _is_for_http_only(path: str) -> bool:
    """Return True if the last value that the module assigns is `get_asgi_application()`.

    The source is parsed and not run, because an `asgi.py` may open connections or start threads.
    """
    module, _, name = path.rpartition(".")
    try:
        # This imports the parent packages, but not the module itself.
        spec = find_spec(module)
        source = Path(spec.origin).read_text() if spec and spec.origin else ""
        statements = ast.parse(source).body
    except (ImportError, OSError, SyntaxError, ValueError):
        return False  # the server reports it when it imports the module
    # The last one counts: a module may assign the default application first, and then wrap it.
    values = [
        ast.unparse(each.value)
        for each in statements
        if isinstance(each, ast.Assign) and name in map(ast.unparse, each.targets)
    ]
    return values[-1:] == ["get_asgi_application()"]
