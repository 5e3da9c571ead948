"""A process that received no request to drain learns of it from the other nodes."""

import time

import pytest

from channels_token_auth.node.drain_requests import MAX_REQUESTS, DrainRequests

LONG_AGO = time.monotonic() - 1000


def request(question, *, node=None, over=5.0, age=60.0):
    return {"question": question, "node": node, "over": over, "age": age}


def learned(*requests):
    drains = DrainRequests("host:7")
    drains.learn(requests)
    return drains


@pytest.mark.parametrize("node", [None, "host", "host:7"])
def test_process_that_existed_before_the_drain_joins_it(node):
    missed = learned(request("q", node=node)).missed(LONG_AGO)
    assert (missed.question, missed.over) == ("q", 5.0)


@pytest.mark.parametrize("node", ["other", "host:8", "hos", "host-1"])
def test_drain_of_other_nodes_is_not_joined_but_announced(node):
    drains = learned(request("q", node=node))
    assert drains.missed(LONG_AGO) is None
    assert [each["node"] for each in drains.announce()] == [node]


@pytest.mark.parametrize("seconds_ago", [0, 59, 60.5])
def test_process_that_replaces_a_drained_one_serves(seconds_ago):
    assert learned(request("q")).missed(time.monotonic() - seconds_ago) is None


def test_last_request_decides_in_whatever_order_they_are_learned():
    undo = request("undo", over=None, age=30.0)
    for order in [(undo, request("q")), (request("q"), undo)]:
        assert learned(*order).missed(LONG_AGO).over is None


@pytest.mark.parametrize(
    "odd", [None, {}, {"question": "x", "age": "old"}, {"age": 1, "question": 7}]
)
def test_request_that_cannot_be_read_hides_no_other(odd):
    assert learned(odd, request("q")).missed(LONG_AGO).question == "q"


def test_age_goes_on_from_node_to_node():
    first = learned(request("q"))
    second = learned(*first.announce())
    second.learn([request("q", age=0.0)])  # of a node that received it directly, but later
    assert second.announce()[0]["age"] == pytest.approx(60, abs=30)


def test_only_the_newest_requests_are_kept():
    drains = learned(*(request(str(number), age=number) for number in range(20)))
    assert {each["question"] for each in drains.announce()} == set(map(str, range(MAX_REQUESTS)))


def test_request_without_an_id_is_not_announced():
    drains = DrainRequests("host:7")
    drains.note({"kind": "drain", "node": None, "over": 5})
    assert drains.announce() == []
