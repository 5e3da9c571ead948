"""No Protocol describes one class alone: that class itself is the better type."""

import ast
from functools import cache

import pytest

from tests.docs.pages import ROOT

FILES = sorted((ROOT / "src").rglob("*.py"))
OF_OTHERS = {
    "TokenBackend": "sites implement it: those that do not extend BaseTokenBackend",
    "limits.shared_counters.Store": "the storages of the package `limits` implement it",
    "denylist.store.Store": "the methods of Django's caches implement it, and a class of ours",
}
"""Protocols whose implementations are outside of this library, at least some of them."""


@cache
def classes() -> list[tuple[str, ast.ClassDef]]:
    """Return all classes, with the names of their modules."""
    return [
        (".".join(path.relative_to(ROOT / "src").with_suffix("").parts), node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]


@cache
def bases(node: ast.ClassDef) -> set[str]:
    """Return the names of a class's bases, without their modules and parameters."""
    names = [each.value if isinstance(each, ast.Subscript) else each for each in node.bases]
    return {each.attr if isinstance(each, ast.Attribute) else ast.unparse(each) for each in names}


@cache
def members(node: ast.ClassDef) -> set[str]:
    """Return a class's own methods, with their parameters, and attributes."""
    found: set[str] = set()
    for each in ast.walk(node):
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(f"{each.name}{parameters(each)}")
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the names of a method's parameters; "" for a property, as for an attribute."""
    if any(ast.unparse(each).endswith("property") for each in function.decorator_list):
        return ""
    listed = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return f"({', '.join(each.arg for each in listed)})"


def all_members(node: ast.ClassDef, by_name: dict[str, ast.ClassDef]) -> set[str]:
    """Return a class's members, with those of its bases in this library."""
    own = members(node)
    return own.union(*(all_members(by_name[base], by_name) for base in bases(node) & set(by_name)))


def implementations(
    protocol: ast.ClassDef, all_classes: list[tuple[str, ast.ClassDef]]
) -> set[str]:
    """Return the classes that have all members of a Protocol, but not those that inherit them."""
    by_name = {node.name: node for _, node in all_classes}
    wanted = members(protocol)
    able = {
        node.name: node
        for _, node in all_classes
        if "Protocol" not in bases(node) and wanted <= all_members(node, by_name)
    }
    return {name for name, node in able.items() if not bases(node) & set(able)}


def lonely(all_classes: list[tuple[str, ast.ClassDef]]) -> dict[str, set[str]]:
    """Return the Protocols that fewer than two classes implement, with the class."""
    found = {
        f"{module}.{node.name}": implementations(node, all_classes)
        for module, node in all_classes
        if "Protocol" in bases(node)
    }
    return {name: classes for name, classes in found.items() if len(classes) < 2}


def test_no_protocol_describes_one_class_alone():
    found = {
        name: classes
        for name, classes in lonely(classes()).items()
        if not name.endswith(tuple(OF_OTHERS))
    }
    assert found == {}, "Use the class itself as the type, or a function."


def test_protocols_of_others_are_still_there():
    names = [f"{module}.{node.name}" for module, node in classes() if "Protocol" in bases(node)]
    assert [end for end in OF_OTHERS if not any(name.endswith(end) for name in names)] == []


SHAPES = """
class Shape(Protocol):
    name: str
    def area(self): ...

class Square:
    def __init__(self):
        self.name = ""
    def area(self): ...

class Tile(Square): ...
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", {"shapes.Shape": {"Square"}}),
        ("class Circle:\n    name = 'c'\n    def area(self): ...", {}),
        ("class Line:\n    name = 'l'", {"shapes.Shape": {"Square"}}),
    ],
)
def test_subclasses_and_half_implementations_do_not_count(more, expected):
    tree = ast.parse(SHAPES + more)
    assert lonely([("shapes", node) for node in tree.body]) == expected
