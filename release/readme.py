"""Tell PyPI and npm the repository, and make README's links absolute: both show it by itself.

`python -m release.readme OWNER/NAME TAG` rewrites both README files, and adds the project's links
to pyproject.toml and package.json. The release workflow runs it in its own checkout; nothing of it
is committed.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

__all__ = ["absolute", "with_repository", "with_urls"]

ROOT = Path(__file__).resolve().parents[1]
GITHUB = "https://github.com"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def absolute(readme: str, repository: str, tag: str, folder: str = "") -> str:
    """Return the README of a folder with links to the files of a tag."""

    def link(match: re.Match[str]) -> str:
        kind = "raw" if match[1] else "blob"
        path = posixpath.normpath(posixpath.join(folder, match[3]))
        return f"{match[1]}[{match[2]}]({GITHUB}/{repository}/{kind}/{tag}/{path})"

    return _LINK.sub(link, readme)


def with_urls(pyproject: str, repository: str) -> str:
    """Return pyproject.toml with the table of links that PyPI shows."""
    base = f"{GITHUB}/{repository}"
    urls = {
        "Source": base,
        "Documentation": f"{base}/blob/main/docs/index.md",
        "Issues": f"{base}/issues",
        "Changelog": f"{base}/blob/main/CHANGELOG.md",
    }
    table = "\n".join(["[project.urls]", *(f'{name} = "{url}"' for name, url in urls.items())])
    before, after = pyproject.split("[project.optional-dependencies]")
    return f"{before}{table}\n\n[project.optional-dependencies]{after}"


def with_repository(package: str, repository: str) -> str:
    """Return package.json with the repository.

    npm refuses a package with provenance if this is not the repository that the workflow ran in.
    """
    url = f"git+{GITHUB}/{repository}.git"
    where = {"type": "git", "url": url, "directory": "client"}
    return json.dumps(json.loads(package) | {"repository": where}, indent=2) + "\n"


def main(repository: str, tag: str) -> None:
    for path, folder in ((ROOT / "README.md", ""), (ROOT / "client" / "README.md", "client")):
        path.write_text(absolute(path.read_text(), repository, tag, folder))
    pyproject, package = ROOT / "pyproject.toml", ROOT / "client" / "package.json"
    pyproject.write_text(with_urls(pyproject.read_text(), repository))
    package.write_text(with_repository(package.read_text(), repository))


if __name__ == "__main__":
    main(*sys.argv[1:])
