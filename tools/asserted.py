"""The constants that tests compare with an answer. Knows nothing about what they say.

A constant is followed to an `assert`, or to the `match` of `raises`, in three ways: it is written
there, or a variable that is named there has it, or `parametrize` gives it to a parameter that is
named there. One that comes from a helper, a fixture or another module is not seen.
The variable is one of the same function or module, and may have it from another one. Two kinds of
constants on the way to a variable do not count: what a call gets, since that is input of the test,
and keys, since they name cases.
"""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["asserted", "name_of"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr)
_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
# Calls that return what they get: `re.compile`, `re.escape` and `pytest.param`.
_CARRIERS = {"compile", "escape", "param"}
_MATCHERS = {"raises", "warns", "deprecated_call", "RaisesExc"}


def asserted(tree: ast.Module) -> list[ast.Constant]:
    """Return the constants that an `assert` or a `match` of a module compares, in their order."""
    found: set[ast.Constant] = set()
    module = _values(tree.body)
    for nodes in _scopes(tree.body):
        if parts := _compared(nodes):
            found |= _constants(node for part in parts for node in ast.walk(part))
            found |= _reached(parts, module | _values(nodes))
    return sorted(found, key=lambda each: (each.lineno, each.col_offset))


def name_of(node: ast.expr) -> str:
    """Return the last name of an expression with dots, or an empty text."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _scopes(body: Iterable[ast.stmt], marks: Sequence[ast.expr] = ()) -> Iterator[list[ast.AST]]:
    """Yield the nodes of each function, with the decorators of its class, and those of the rest."""
    rest: list[ast.AST] = []
    for each in body:
        if isinstance(each, ast.ClassDef):
            yield from _scopes(each.body, [*marks, *each.decorator_list])
        elif isinstance(each, _FUNCTIONS):
            yield [*marks, *ast.walk(each)]
        else:
            rest += ast.walk(each)
    yield rest


def _compared(nodes: Iterable[ast.AST]) -> list[ast.expr]:
    parts: list[ast.expr] = []
    for node in nodes:
        if isinstance(node, ast.Assert):
            parts.append(node.test)
        elif isinstance(node, ast.Call) and name_of(node.func) in _MATCHERS:
            parts += [each.value for each in node.keywords if each.arg == "match"]
    return parts


def _values(nodes: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """Return the expressions that give the variables and parameters of a scope their values."""
    found: dict[str, list[ast.expr]] = defaultdict(list)
    for name, value in _bindings(nodes):
        found[name].append(value)
    return found


def _bindings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    for node in nodes:
        if isinstance(node, ast.Call) and name_of(node.func) == "parametrize":
            named = {each.arg: each.value for each in node.keywords}
            given = [*node.args, *(named[key] for key in ("argnames", "argvalues") if key in named)]
            yield from _cells(_parameters(given[0]), given[1])
        elif isinstance(node, _LOOPS):
            yield from _cells(_names(ast.walk(node.target)), node.iter)
        elif isinstance(node, _ASSIGNMENTS) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield from ((name, node.value) for name in _names(ast.walk(target)))


def _parameters(named: ast.expr) -> list[str]:
    """Return the names in the first argument of `parametrize`: one text, or several."""
    texts = [str(each.value) for each in ast.walk(named) if isinstance(each, ast.Constant)]
    return ",".join(texts).replace(" ", "").split(",")


def _cells(names: list[str], rows: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name with each of its values, or with a row that has no cell for each name."""
    for row in getattr(rows, "elts", [getattr(rows, "elt", rows)]):
        cells = [row]
        if isinstance(row, ast.Call) and name_of(row.func) == "param":
            cells = row.args
        elif isinstance(row, ast.Tuple) and len(names) > 1:
            cells = row.elts
        if len(cells) != len(names):
            cells = [row] * len(names)
        yield from zip(names, cells, strict=True)


def _reached(parts: list[ast.expr], values: Mapping[str, list[ast.expr]]) -> set[ast.Constant]:
    """Return the constants of the variables and parameters that these parts name."""
    found: set[ast.Constant] = set()
    seen: set[str] = set()
    names = {name for part in parts for name in _names(_carried(part, into_calls=True))}
    while names := names - seen:
        seen |= names
        carried = [
            node for name in names for value in values.get(name, ()) for node in _carried(value)
        ]
        found |= _constants(carried)
        names = set(_names(carried))
    return found


def _carried(value: ast.AST, *, into_calls: bool = False) -> Iterator[ast.AST]:
    """Yield the nodes of an expression, except keys, and except what its calls get."""
    yield value
    parts: Iterable[ast.AST] = ast.iter_child_nodes(value)
    if isinstance(value, ast.Dict):
        parts = value.values
    elif isinstance(value, ast.Subscript):
        parts = [value.value]
    elif isinstance(value, ast.Call) and not into_calls and name_of(value.func) not in _CARRIERS:
        parts = [value.func]
    for each in parts:
        yield from _carried(each, into_calls=into_calls)


def _names(nodes: Iterable[ast.AST]) -> list[str]:
    return [each.id for each in nodes if isinstance(each, ast.Name)]


def _constants(nodes: Iterable[ast.AST]) -> set[ast.Constant]:
    return {each for each in nodes if isinstance(each, ast.Constant)}
