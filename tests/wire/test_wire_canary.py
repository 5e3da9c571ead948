"""A token is seen by nobody: no log at any level, no answer, no application, no error report."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.wire.canary import SONGS, Song, sing
from tests.wire.servers import KINDS, Server, launch, stop_all


@pytest.fixture(scope="session")
def heard(
    kinds: list[str], wire_database: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    """Server → song → what a client heard; and under "printed" what the server printed."""
    options = {"database": wire_database, "directory": tmp_path_factory.mktemp("verbose")}
    servers = [launch(kind, verbose=True, **options) for kind in kinds]
    try:
        with ThreadPoolExecutor(len(servers)) as pool:
            return dict(zip(kinds, pool.map(_sing_all, servers), strict=True))
    finally:
        stop_all(servers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.name)
def test_no_client_and_no_application_sees_the_token(
    heard: dict[str, dict[str, str]], kind: str, song: Song
) -> None:
    assert not _lines(heard[kind][song.name], song)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("song", SONGS, ids=lambda song: song.name)
@pytest.mark.asvs("14.2.4", "16.2.5")
def test_no_log_shows_the_token(heard: dict[str, dict[str, str]], kind: str, song: Song) -> None:
    assert not _lines(heard[kind]["printed"], song)


@pytest.mark.parametrize("kind", KINDS)
def test_the_logs_would_show_it(heard: dict[str, dict[str, str]], kind: str) -> None:
    """The error reporter did its work: it is the library that kept the token from it."""
    assert "the consumer failed, as asked" in heard[kind]["printed"]
    assert "query_string" in heard[kind]["printed"]


def _sing_all(server: Server) -> dict[str, str]:
    server.wait_until_ready()
    heard = {song.name: sing(server, song) for song in SONGS}
    server.stop()
    return {**heard, "printed": server.output}


def _lines(text: str, song: Song) -> list[str]:
    if not any(form in text for form in song.forms):  # most often: a log is long to go through
        return []
    return [line for line in text.splitlines() if any(form in line for form in song.forms)]
