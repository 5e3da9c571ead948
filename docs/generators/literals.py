"""Read texts from source: literals, with a gap for each value that the code fills in."""

import ast
import re

__all__ = ["GAP", "escaped", "text_of"]

GAP = "…"


def text_of(node: ast.expr | None) -> str:
    """Return the text of an expression."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return text_of(left) + text_of(right)
        case ast.IfExp(body=body):
            return text_of(body)
        case None | ast.Constant():
            return ""
    return GAP


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return re.sub(r"([*_<>\[\]|])", r"\\\1", text)
