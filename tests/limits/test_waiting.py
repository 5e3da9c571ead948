import pytest

from channels_token_auth.core.counting.client_address import read_address
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import WaitingLimits
from channels_token_auth.limits.waiting import WaitingSockets

ADA, BOB = read_address("203.0.113.1"), read_address("203.0.113.2")
TWO = WaitingLimits(address=2, node=3, is_default_address=False)


@pytest.fixture
def waiting():
    return WaitingSockets()


def enter(waiting, address=ADA, limits=TWO, proxies=0, close=None):
    close = close or (lambda _: pytest.fail("closed"))
    return waiting.enter(address, limits, trusted_proxies=proxies, close=close)


def refusal(waiting, *args, **named):
    with pytest.raises(TokenAuthError) as caught:
        enter(waiting, *args, **named)
    assert caught.value.retry_after > 0
    return caught.value.code, caught.value.detail.slug


def test_address_that_has_too_many_is_refused_and_no_other(waiting):
    enter(waiting), enter(waiting)
    assert refusal(waiting) == ("rate_limited", "limit_waiting_address")
    enter(waiting, BOB)


def test_full_node_refuses_an_address_that_has_its_share(waiting):
    enter(waiting), enter(waiting), enter(waiting, BOB)
    assert refusal(waiting, BOB) == ("rate_limited", "limit_waiting_node")


@pytest.mark.parametrize("newcomer", [BOB, None])
def test_full_node_gives_an_address_its_share_of_the_one_with_the_most(waiting, newcomer):
    limits, closed = WaitingLimits(node=3, is_default_address=False), []
    for number in range(3):
        enter(waiting, ADA, limits, close=lambda error, n=number: closed.append((n, error)))
    enter(waiting, newcomer, limits)
    assert [(number, error.detail.slug) for number, error in closed] == [(0, "limit_waiting_node")]
    assert len(waiting) == 3
    assert refusal(waiting, newcomer, limits)
    assert refusal(waiting, ADA, limits)


def test_full_node_of_many_addresses_refuses_newcomers(waiting):
    limits = WaitingLimits(node=3)
    for number in range(3):
        enter(waiting, read_address(f"203.0.113.{number}"), limits)
    assert refusal(waiting, read_address("203.0.113.9"), limits)


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
