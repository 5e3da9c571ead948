import pytest

from channels_token_auth.core.close_codes import CloseReason
from channels_token_auth.core.counting.client_address import read_address
from channels_token_auth.core.errors import TokenAuthError
from channels_token_auth.core.limits import Limit, Limits, Rate
from channels_token_auth.limits.addresses import AddressLimits
from channels_token_auth.observability.events import LimitReached, subscribe

SITE = {"BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}]}
ADA = read_address("203.0.113.1")
ONE = Rate(1, 60)
COUNTING = (CloseReason.MALFORMED, CloseReason.TOKEN_INVALID)


@pytest.fixture(autouse=True)
def _fresh(settings):
    settings.CHANNELS_TOKEN_AUTH = SITE


@pytest.fixture
def reached():
    noted = []
    unsubscribe = subscribe(LimitReached, noted.append)
    yield noted
    unsubscribe()


def build(proxies=0, **limits):
    explicit = {"failures": ONE, "is_default_failures": False}
    return AddressLimits(Limits(**explicit | limits), trusted_proxies=proxies)


def is_over(check, address):
    try:
        check(address)
    except TokenAuthError as error:
        return error.code is CloseReason.RATE_LIMITED
    return False


@pytest.mark.parametrize("code", list(CloseReason))
def test_only_malformed_and_invalid_credentials_are_failures(code):
    limits = build()
    limits.note_refusal(ADA, code)
    assert is_over(limits.check, ADA) is (code in COUNTING)
    assert is_over(limits.begin_handshake, ADA) is (code in COUNTING)


@pytest.mark.parametrize(
    ("address", "is_default", "proxies", "is_counted"),
    [
        ("127.0.0.1", True, 0, False),
        ("192.168.1.1", True, 0, False),
        ("::ffff:10.0.0.1", True, 0, False),
        ("192.168.1.1", False, 0, True),
        ("192.168.1.1", True, 2, True),
        ("203.0.113.1", True, 0, True),
        ("2001:db8::1", True, 0, True),
    ],
)
def test_default_spares_internal_addresses_while_no_proxy_is_trusted(
    address, is_default, proxies, is_counted
):
    limits = build(proxies, is_default_failures=is_default)
    limits.note_refusal(read_address(address), CloseReason.TOKEN_INVALID)
    assert is_over(limits.check, read_address(address)) is is_counted


def test_handshakes_are_counted_for_every_address_and_whatever_becomes_of_them():
    limits = build(handshakes=Rate(2, 60), is_default_failures=True)
    local = read_address("127.0.0.1")
    for _ in range(2):
        assert not is_over(limits.begin_handshake, local)
    assert is_over(limits.begin_handshake, local)
    assert not is_over(limits.check, local)  # messages and requests are no handshakes
    assert not is_over(limits.begin_handshake, ADA)


def test_nobody_is_limited_who_has_no_address():
    limits = build(handshakes=ONE)
    for _ in range(3):
        limits.note_refusal(None, CloseReason.MALFORMED)
        assert not is_over(limits.begin_handshake, None)


def test_limits_of_none_count_nothing():
    limits = build(failures=None)
    limits.note_refusal(ADA, CloseReason.MALFORMED)
    assert not is_over(limits.check, ADA)


def test_refusal_names_the_limit_to_developers_and_is_emitted(reached):
    limits = build()
    limits.note_refusal(ADA, CloseReason.MALFORMED)
    with pytest.raises(TokenAuthError) as caught:
        limits.check(ADA)
    assert (caught.value.retry_after, caught.value.detail.slug) == (60, "limit_failures")
    assert [event.limit for event in reached] == [Limit.FAILURES]
    assert "203.0.113.1" not in repr(reached)
