import pytest

from channels_token_auth.core.client_address import read_address
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import WaitingLimits
from channels_token_auth.limits.waiting import WaitingSockets

ADA, BOB = read_address("203.0.113.1"), read_address("203.0.113.2")
TWO = WaitingLimits(address=2, node=3, is_default_address=False)


@pytest.fixture
def waiting():
    return WaitingSockets()


def enter(waiting, address=ADA, limits=TWO, proxies=0):
    return waiting.enter(address, limits, trusted_proxies=proxies)


def refusal(waiting, *args, **named):
    with pytest.raises(TokenAuthError) as caught:
        enter(waiting, *args, **named)
    assert caught.value.retry_after > 0
    return caught.value.code, caught.value.detail.slug


def test_address_that_has_too_many_is_refused_and_no_other(waiting):
    enter(waiting), enter(waiting)
    assert refusal(waiting) == ("rate_limited", "limit_waiting_address")
    enter(waiting, BOB)


def test_node_that_has_too_many_refuses_everybody(waiting):
    enter(waiting), enter(waiting), enter(waiting, BOB)
    assert refusal(waiting, BOB) == ("rate_limited", "limit_waiting_node")
    assert refusal(waiting, None) == ("rate_limited", "limit_waiting_node")


def test_place_that_is_left_is_free_again_and_only_once(waiting):
    place = enter(waiting)
    enter(waiting)
    place.leave()
    place.leave()
    assert len(waiting) == 1
    enter(waiting)
    assert refusal(waiting)


def test_refused_socket_takes_no_place(waiting):
    enter(waiting), enter(waiting)
    assert refusal(waiting)
    assert len(waiting) == 2


@pytest.mark.parametrize(
    ("address", "is_default", "proxies", "is_counted"),
    [
        ("127.0.0.1", True, 0, False),
        ("10.0.0.1", True, 0, False),
        ("fd00::1", True, 0, False),
        ("127.0.0.1", False, 0, True),
        ("10.0.0.1", True, 1, True),
        ("203.0.113.1", True, 0, True),
    ],
)
def test_default_spares_internal_addresses_while_no_proxy_is_trusted(
    waiting, address, is_default, proxies, is_counted
):
    limits = WaitingLimits(address=1, node=None, is_default_address=is_default)
    enter(waiting, read_address(address), limits, proxies)
    if is_counted:
        assert refusal(waiting, read_address(address), limits, proxies)
    else:
        enter(waiting, read_address(address), limits, proxies)


def test_ipv6_clients_count_by_64_bits(waiting):
    limits = WaitingLimits(address=1, node=None, is_default_address=False)
    enter(waiting, read_address("2001:db8::1"), limits)
    assert refusal(waiting, read_address("2001:db8::2"), limits)
    enter(waiting, read_address("2001:db8:0:1::1"), limits)


def test_client_without_an_address_counts_for_the_node_only(waiting):
    limits = WaitingLimits(address=1, node=2, is_default_address=False)
    enter(waiting, None, limits), enter(waiting, None, limits)
    assert refusal(waiting, None, limits) == ("rate_limited", "limit_waiting_node")


def test_limits_of_none_let_everybody_wait(waiting):
    for _ in range(2000):
        enter(waiting, ADA, WaitingLimits(address=None, node=None))
