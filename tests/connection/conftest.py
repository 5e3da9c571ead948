"""Run the tests of a module on each kind of server."""

import pytest

from tests.connection.server import Server


@pytest.fixture(params=[False, True], ids=["coroutines", "futures"])
def each_kind_of_server(request, monkeypatch):
    """Let `receive` return a coroutine, as most servers do, and a future, as granian does."""
    monkeypatch.setattr(Server, "gives_futures", request.param)
