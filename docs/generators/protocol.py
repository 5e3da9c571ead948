"""List the messages of the protocol from the specification."""

import re
from pathlib import Path

from .markdown import code, table

__all__ = ["messages"]

SPEC = Path(__file__).parents[2] / "spec" / "PROTOCOL.md"
_SECTION = re.compile(r"^### `(auth[\w.]*)`\n\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
_EXAMPLE = re.compile(r"`(\{\"type\":.*?\})`")


def messages() -> str:
    """Return each message with its direction and an example."""
    rows = []
    for name, text in _SECTION.findall(SPEC.read_text()):
        direction = "server → client" if text.startswith("Server to client") else "client → server"
        link = f"[{code(name)}](../../spec/PROTOCOL.md#{name.replace('.', '')})"
        rows.append((link, direction, code(_EXAMPLE.search(text)[1])))
    return table(["message", "direction", "example"], rows)
