"""Make README's links absolute, since PyPI shows it without the repository around it.

`python -m release.readme OWNER/NAME TAG` rewrites README.md, and adds the project's links to
pyproject.toml. The release workflow runs it in its own checkout; nothing of it is committed.
"""

import re
import sys
from pathlib import Path

__all__ = ["absolute", "with_urls"]

ROOT = Path(__file__).resolve().parents[1]
GITHUB = "https://github.com"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")


def absolute(readme: str, repository: str, tag: str) -> str:
    """Return README with links to the files of a tag."""

    def link(match: re.Match[str]) -> str:
        kind = "raw" if match[1] else "blob"
        return f"{match[1]}[{match[2]}]({GITHUB}/{repository}/{kind}/{tag}/{match[3]})"

    return _LINK.sub(link, readme)


def with_urls(pyproject: str, repository: str) -> str:
    """Return pyproject.toml with the table of links that PyPI shows."""
    base = f"{GITHUB}/{repository}"
    urls = {
        "Source": base,
        "Issues": f"{base}/issues",
        "Changelog": f"{base}/blob/main/CHANGELOG.md",
    }
    table = "\n".join(["[project.urls]", *(f'{name} = "{url}"' for name, url in urls.items())])
    before, after = pyproject.split("[project.optional-dependencies]")
    return f"{before}{table}\n\n[project.optional-dependencies]{after}"


def main(repository: str, tag: str) -> None:
    readme, pyproject = ROOT / "README.md", ROOT / "pyproject.toml"
    readme.write_text(absolute(readme.read_text(), repository, tag))
    pyproject.write_text(with_urls(pyproject.read_text(), repository))


if __name__ == "__main__":
    main(*sys.argv[1:])
