"""Print the tree of the library's packages, with the first sentence of each docstring."""

import ast
from pathlib import Path

import channels_token_auth

__all__ = ["tree"]

_ROOT = Path(channels_token_auth.__file__).parent


def tree() -> str:
    """Return the packages in order, indented, each with its modules' number and its purpose."""
    rows = [_row(path.parent) for path in sorted(_ROOT.rglob("__init__.py"))]
    width = max(len(name) for name, _ in rows)
    return "\n".join(["```text", *(f"{name:{width}}  {text}" for name, text in rows), "```"])


def _row(folder: Path) -> tuple[str, str]:
    depth = len(folder.relative_to(_ROOT).parts)
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    first, *_ = " ".join(docstring.split("\n\n")[0].split()).split(". ")
    return f"{'  ' * depth}{folder.name}/", first.rstrip(".")
