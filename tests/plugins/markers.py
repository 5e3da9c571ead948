"""Stop a run with a test whose marker is not in its own module: a step would not find it there."""

import pytest

from tests.suite.modules import MARKERS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    texts: dict[str, str] = {}
    for item in items:
        path = str(item.path)
        for marker, pattern in MARKERS.items():
            if item.get_closest_marker(marker):
                text = texts.setdefault(path, item.path.read_text())
                if not pattern.search(text):
                    raise pytest.UsageError(
                        f"{item.nodeid} has the marker `{marker}` from another module:"
                        " write the marker in the module of the test."
                    )
