"""TokenSocket in real browsers, against a real server, under a strict Content-Security-Policy."""

import json
import re
import time

import pytest
from django.contrib.auth.models import User

from channels_token_auth import revoke_token
from channels_token_auth.testing import frozen_clock
from tests.browser.protocol_site import running_site
from tests.faults.proxy import proxy_to

ADA, EVE = User(pk=7, username="ada"), User(pk=9, username="eve", is_active=False)
DEADLINE = 240.0
FAST = 20
"""How many times faster the client's clock runs, for rules that are about seconds."""


class ChromiumTab:
    def __init__(self, page):
        self._page = page
        self.evaluate = page.evaluate
        self.set_offline = page.context.set_offline


@pytest.fixture(scope="module")
def site():
    with running_site("tests.browser.client_site") as site:
        yield site


@pytest.fixture
def tokens(site):
    for token, user in {"ada": ADA, "next": ADA, "a=b/c": ADA, "eve": EVE}.items():
        site.tokens.issue(user, token=token)
    return site.tokens


@pytest.fixture
def proxy(site):
    with proxy_to(("127.0.0.1", site.port)) as proxy:
        yield proxy
        proxy.kill()  # browsers keep connections


# What the browser decides is tried in both. What the client decides by close codes is not.
in_both_browsers = pytest.mark.parametrize("open_page", ["chromium", "firefox"], indirect=True)


@pytest.fixture
def open_page(request):
    """Return a function that opens a page of the site, in the tab of the test before."""
    if getattr(request, "param", "chromium") == "firefox":
        return request.getfixturevalue("fox").open
    load = request.getfixturevalue("load")
    return lambda url: ChromiumTab(load(url))


class Client:
    """The page, driven by a test."""

    def __init__(self, tab):
        self.tab = tab

    def open(self, *tokens, **options):
        options = {"tokens": list(tokens) or ["ada"], "authUrl": "auth/"} | options
        self.tab.evaluate(f"client.open({json.dumps(options)})")

    def send(self, frame):
        self.tab.evaluate(f"client.send({json.dumps(frame)})")

    @property
    def said(self):
        return self.tab.evaluate("client.said")

    @property
    def asked(self):
        return self.tab.evaluate("client.asked")

    def says(self, *lines):
        """Wait for these lines, in this order; others may come in between."""
        pattern = re.compile("^" + "\n(.*\n)*".join(lines) + "\n", re.MULTILINE)
        deadline = time.monotonic() + DEADLINE
        while not pattern.search("\n".join([*(said := self.said), ""])):
            assert time.monotonic() < deadline, f"not said: {lines}, but {said}"
            self.tab.evaluate(f"client.saysMoreThan({len(said)})")


@pytest.fixture
def client(site, tokens, open_page):
    return Client(open_page(site.url))


@pytest.fixture
def distant(proxy, tokens, open_page):
    """Return a client with a proxy between it and the site."""
    return Client(open_page(f"http://127.0.0.1:{proxy.port}/"))


# -- In


@in_both_browsers
@pytest.mark.parametrize("token", ["ada", "a=b/c"])
@pytest.mark.parametrize("location", ["subprotocol", "first_message", "ticket"])
def test_each_location_authenticates(client, token, location):
    client.open(token, location=location)
    client.says("open", "in null 7")
    client.send("hello")
    client.says("message hello")


@in_both_browsers
def test_it_works_in_a_worker(client):
    client.tab.evaluate('client.openInWorker({tokens: ["ada"]})')
    client.says("worker: open", "worker: in null 7")


@in_both_browsers
def test_client_works_under_a_policy_that_forbids_inline_code(client):
    client.open()
    client.says("open")
    assert client.tab.evaluate("[document.title, typeof TokenSocket]") == [
        "A page with the client",
        "function",
    ]


@in_both_browsers
@pytest.mark.asvs("14.3.3")
def test_token_is_in_no_address_and_no_storage(client):
    client.open(location="ticket")
    client.says("open")
    places = "performance.getEntries().map(({name}) => name), location.href, document.cookie"
    assert client.tab.evaluate("localStorage.length + sessionStorage.length") == 0
    assert "ada" not in str(client.tab.evaluate(f"[{places}]"))


# -- Expiry and revocation


def test_fresh_token_is_presented_before_the_old_one_expires(client, tokens):
    with frozen_clock():  # the token does not expire before a slow browser presents it
        client.open(tokens.issue(ADA, lifetime=29), "next")  # the server warns 30 s before
        client.says(r"in \d+ 7", "in null 7")
    assert client.said.count("open") == 1
    assert client.asked == ["open", "expiring"]


@in_both_browsers
def test_expired_token_is_replaced_at_once(client, tokens):
    client.open(tokens.issue(ADA, lifetime=-1), "next")
    client.says("reconnecting token_expired", "open")
    assert client.asked == ["open", "expired"]


def test_two_expired_tokens_make_no_loop(client, tokens):
    old = [tokens.issue(ADA, lifetime=-1) for _ in range(4)]
    client.open(*old, "next", hasty=True)
    client.says(*["reconnecting token_expired"] * 4, "open")


def test_connection_that_reaches_its_age_comes_back_with_the_same_token(client):
    client.open(path="/aging/")
    client.says("open", "reconnecting token_expired", "open")


@in_both_browsers
def test_revocation_from_elsewhere_ends_it(client):
    client.open()
    client.says("in null 7")
    revoke_token("ada")
    client.says("error token_revoked login", "close 4410 token_revoked")
    assert client.asked == ["open", "rejected"]


def test_rotation_that_revokes_the_old_token_needs_no_login(client):
    client.open("ada", "next")
    client.says("in null 7")
    revoke_token("ada")
    client.says("reconnecting token_revoked", "open", "in null 7")
    assert client.asked == ["open", "rejected"]


def test_rejected_token_is_replaced_once(client):
    client.open("wrong", "next")
    client.says("reconnecting token_invalid", "open")


def test_two_rejected_tokens_ask_for_a_login(client):
    client.open("wrong", "wrong-too", "next")
    client.says("reconnecting token_invalid", "error token_invalid login")
    assert client.asked == ["open", "rejected"]


@pytest.mark.parametrize("location", ["subprotocol", "first_message"])
def test_token_over_the_default_size_is_left_to_the_server(client, tokens, location):
    """`MAX_TOKEN_BYTES` of `/roomy/` is higher, and TokenSocket has no limit of its own."""
    token = "x" * 5000
    tokens.issue(ADA, token=token)
    client.open(token, location=location, path="/roomy/")
    client.says("open", "in null 7")


@pytest.mark.parametrize(
    ("token", "ending"),
    [
        ("wrong", ["error token_invalid login", "close 4401 token_invalid"]),
        ("eve", ["error user_inactive stop", "close 4423 user_inactive"]),
    ],
)
@pytest.mark.parametrize("location", ["subprotocol", "first_message", "ticket"])
def test_refusal_is_final(client, token, ending, location):
    client.open(token, location=location)
    client.says(*ending)
    assert set(client.asked[1:]) <= {"rejected"}
    assert len(client.asked) <= 2


def test_unavailable_store_is_waited_for(client, tokens):
    tokens.refuse("ada", "unavailable", retry_after=1)
    client.open()
    client.says("reconnecting unavailable")
    tokens.issue(ADA, token="ada")
    client.says("reconnecting unavailable", "open")


# -- 1006


@in_both_browsers
def test_failed_handshake_asks_check(client):
    client.open("wrong", path="/unseen/")
    client.says("error token_invalid login", "close 4401 token_invalid")


def test_failed_handshake_with_a_valid_token_is_tried_again(client):
    client.open(path="/unseen/")
    client.says("reconnecting closed")


# -- The server, the line and the machine


@in_both_browsers
def test_restarted_server_is_found_again(client, site):
    client.open()
    client.says("open")
    site.stop()
    client.says("reconnecting closed")
    site.start()
    client.says("reconnecting closed", "open")
    assert set(client.asked[1:]) == {"reconnect"}


@in_both_browsers
def test_killed_server_is_found_again(distant, proxy):
    distant.open()
    distant.says("open")
    proxy.kill()
    distant.says("open", "reconnecting closed", "reconnecting closed")
    proxy.revive()
    distant.says("reconnecting closed", "open")


@in_both_browsers
def test_connection_that_is_cut_without_a_word_is_noticed(distant, proxy):
    distant.open(speed=FAST)
    distant.says("open")
    proxy.cut_off()
    distant.says("open", "reconnecting no_answer", "open")


@in_both_browsers
def test_after_a_sleep_the_connection_is_pinged_at_once(distant, proxy):
    distant.open()
    distant.says("open")
    proxy.cut_off()
    distant.tab.evaluate("client.sleep(3600)")
    distant.says("open", "reconnecting no_answer", "open")


@in_both_browsers
def test_network_that_comes_back_ends_the_wait(distant, proxy):
    distant.open(drowsy=True)
    distant.says("open")
    distant.tab.set_offline(True)
    try:
        proxy.kill()
        distant.says("open", "reconnecting closed", "reconnecting closed")
        proxy.revive()
    finally:  # the next test has the same tab
        distant.tab.set_offline(False)
    distant.says("reconnecting closed", "open")


def test_page_that_comes_back_from_the_cache_ends_the_wait(fox, proxy, tokens):
    tab = fox.open(f"http://127.0.0.1:{proxy.port}/")
    client = Client(tab)
    client.open(drowsy=True)
    client.says("open")
    proxy.kill()
    client.says("reconnecting closed", "reconnecting closed")
    proxy.revive()
    tab.leave_and_come_back()
    client.says("reconnecting closed", "open")


@in_both_browsers
def test_closed_by_the_page_it_stays_closed(client):
    client.open()
    client.says("open")
    client.tab.evaluate("client.close()")
    client.says("close 1005|close 1000")
    assert client.asked == ["open"]
