"""Names of nodes: a machine's name means its own nodes, whatever other machines are called."""

import asyncio

import pytest

from channels_token_auth.cluster.message import is_meant, node_name
from channels_token_auth.node.node import here


def test_node_is_named_by_machine_process_and_loop():
    assert node_name("web", 7, loop=1) == "web:7"
    assert node_name("web", 7, loop=2) == "web:7:2"


@pytest.mark.parametrize("wanted", [None, "web-1", "web-1:7", "web-1:7:2"])
def test_machine_process_and_node_mean_this_node(wanted):
    assert is_meant("web-1:7:2", wanted)


def test_drain_of_a_process_by_its_id_reaches_each_loop():
    """As the unit file of daphne drains `%H:${MAINPID}`."""
    loops = [node_name("web", 7, loop=number) for number in (1, 2, 11)]
    assert all(is_meant(each, "web:7") for each in loops)
    assert [is_meant(each, "web:7:1") for each in loops] == [False, False, False]


@pytest.mark.parametrize(
    "wanted",
    ["web", "we", "web-", "web-10", "web-1:", "web-1:70", "web-1:7:3", "7", ":", "", "eb-1"],
)
def test_other_names_do_not_mean_this_node(wanted):
    assert not is_meant("web-1:7:2", wanted)


def test_name_of_a_machine_is_not_that_of_a_node():
    """In containers, each process has the number 1."""
    assert not is_meant(node_name("web-1", 1, loop=1), node_name("web", 1, loop=1))
    assert not is_meant(node_name("web", 1, loop=1), "web-1")


async def start_node():
    return here().name


def test_loops_of_a_process_have_different_names(settings):
    """A loop that starts after another has ended must not take the name of a third."""
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "tests.middleware.backend.OneTokenBackend"}]
    }
    loops = [asyncio.new_event_loop() for _ in range(3)]
    first, second = (each.run_until_complete(start_node()) for each in loops[:2])
    loops[0].close()
    third = loops[2].run_until_complete(start_node())
    assert third != second
    assert third == first
    for each in loops[1:]:
        each.close()


@pytest.mark.parametrize("wanted", ["web", "web-4711", "web-4711-2"])
def test_node_of_the_previous_release_is_meant(wanted):
    assert is_meant("web-4711-2" if wanted != "web-4711" else "web-4711", wanted)


@pytest.mark.parametrize("wanted", ["we", "web-47", "web-4711-2-1", "", "b"])
def test_node_of_the_previous_release_is_not_meant(wanted):
    assert not is_meant("web-4711-2", wanted)


def test_machine_whose_name_continues_another_is_not_meant_in_the_previous_release():
    assert not is_meant("web-b-4711", "web")
