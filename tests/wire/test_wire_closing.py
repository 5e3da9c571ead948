"""A close of ours arrives, whatever application and whatever peer, on six servers."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.wire.answers import Refused, observe
from tests.wire.client import Socket
from tests.wire.closing import SCENARIOS, BulkClose, close_from_outside, eventually, has_ended
from tests.wire.handshakes.case import Case, bearer
from tests.wire.project.people import ALICE
from tests.wire.record import Record
from tests.wire.servers import Server

TOLD = {"type": "websocket.disconnect", "code": 4410, "reason": "token_revoked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All scenarios on one server, and what they left there."""

    closings: dict[tuple[str, str], BulkClose | Exception]
    left: Counter[str]
    printed: str


@pytest.fixture(scope="session")
def surveys(fleet: dict[str, Server]) -> dict[str, Survey]:
    """Every scenario on every server: the servers at once, since most of it is waiting."""
    with ThreadPoolExecutor(len(fleet)) as pool:
        return dict(zip(fleet, pool.map(_survey, fleet.values()), strict=True))


@pytest.fixture
def closing(server: Server, scenario: tuple[str, str], surveys: dict[str, Survey]) -> BulkClose:
    closing = surveys[server.kind].closings[scenario]
    if isinstance(closing, Exception):
        raise closing
    return closing


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s[1] != "never reads"], ids=", ".join)
def test_the_code_reaches_the_client(closing: BulkClose) -> None:
    assert closing.code == 4410


@pytest.mark.parametrize("scenario", SCENARIOS, ids=", ".join)
def test_the_application_gets_one_disconnect_and_nothing_after(closing: BulkClose) -> None:
    assert [event for event in closing.events if event["type"] != "websocket.receive"] == [
        {"type": "started"},
        {"type": "websocket.connect"},
        TOLD,
        {"type": "returned"},
    ]
    assert closing.events[-2] == TOLD


@pytest.mark.parametrize("client", ["client", "browser"])
def test_a_socket_closed_before_its_accept_is_refused(server: Server, client: str) -> None:
    case = Case(
        name=f"lingering-{client}",
        application="lingers",
        headers=(bearer(ALICE),),
        answer=Refused(slug="token_revoked"),
    )
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(observe, server, *case.request(case.name, client))
        eventually(lambda: server.events(case.name), bool)
        server.close(case.name, "token_revoked")
        try:
            assert answer.result() == case.answer.at(server.kind, browser=case.is_browser(client))
        finally:
            server.release(case.name)  # its accept comes after the close, and is dropped
    events = eventually(lambda: server.events(case.name), has_ended)
    assert events[2:] == [TOLD, {"type": "returned"}]


def test_the_time_it_takes_is_recorded(
    server: Server, surveys: dict[str, Survey], record: Record
) -> None:
    slowest: dict[str, float] = {}
    for (application, _), closing in surveys[server.kind].closings.items():
        if isinstance(closing, BulkClose) and closing.seconds is not None:
            slowest[application] = max(slowest.get(application, 0), closing.seconds)
    for application, seconds in slowest.items():
        record.measure(server.kind, "closes", application, round(seconds * 1000, 1))
    assert record.servers[server.kind]["closes"].keys() == slowest.keys()


def test_no_task_and_no_descriptor_is_left(server: Server, surveys: dict[str, Survey]) -> None:
    assert surveys[server.kind].left == Counter()


@pytest.mark.parametrize("sign", ["Traceback", "never retrieved", "never awaited", "destroyed"])
def test_nothing_is_complained_of(server: Server, surveys: dict[str, Survey], sign: str) -> None:
    assert sign not in surveys[server.kind].printed


def _survey(server: Server) -> Survey:
    for application in ("echo-async", "echo-sync"):  # so that threads and connections are there
        close_from_outside(server, application, "answers")
    mark, before = len(server.output), _settled(server)
    closings = {scenario: _attempt(server, scenario) for scenario in SCENARIOS}
    left = eventually(lambda: _holdings(server) - before, lambda left: not left)
    return Survey(closings=closings, left=left, printed=server.output[mark:])


def _attempt(server: Server, scenario: tuple[str, str]) -> BulkClose | Exception:
    try:
        return close_from_outside(server, *scenario)
    except (AssertionError, OSError, EOFError) as error:
        return error


def _settled(server: Server) -> Counter[str]:
    """Return the server's resources once the last socket of other tests has ended."""
    seen = [_holdings(server)]

    def look() -> bool:
        time.sleep(0.3)
        seen.append(_holdings(server))
        return seen[-1] == seen[-2]

    eventually(look, bool)
    return seen[-1]


def _holdings(server: Server) -> Counter[str]:
    """Return how many tasks of each name there are, and descriptors."""
    state = server.probe()
    return Counter(state["tasks"]) + Counter(descriptors=state["descriptors"])


def test_a_close_of_the_applications_arrives_while_the_client_is_silent(server: Server) -> None:
    socket = server.open("/default/kicks/kicked", [bearer(ALICE)])
    assert isinstance(socket, Socket)
    with socket:
        assert socket.read().code == 4001
    events = eventually(lambda: server.events("kicked"), has_ended)
    ends = [event for event in events if event["type"] == "websocket.disconnect"]
    assert [event["code"] for event in ends] == [4001]
