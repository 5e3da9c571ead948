"""spec/client.html, written from spec/PROTOCOL.md alone, against this server, in a real browser."""

import json
import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from channels_token_auth.testing import frozen_clock
from tests.browser.protocol_site import running_site

ADA, BOB = User(pk=7, username="ada"), User(pk=8, username="bob")
EVE = User(pk=9, username="eve", is_active=False)
PING, PONG = '{"type":"auth.ping"}', '{"type":"auth.pong"}'


@pytest.fixture(scope="module")
def site():
    with running_site() as site:
        yield site


@pytest.fixture
def tokens(site):
    of_ada = dict.fromkeys(["ada", "next", "a=b/c", "café€"], ADA)
    for token, user in {**of_ada, "bob": BOB, "eve": EVE}.items():
        site.tokens.issue(user, token=token)
    return site.tokens


class Client:
    """The page, as somebody who works with it sees it."""

    def __init__(self, page):
        self.page = page

    def open(self, token="ada", *, way=None, path=None, fresh=None):
        """Open a socket. The page presents a token as a subprotocol at `/` unless it is changed."""
        for label, value in {"Socket": path, "Token": token, "Fresh token": fresh}.items():
            if value:
                self.page.get_by_label(label, exact=True).fill(value)
        if way:
            self.page.get_by_label("Presented").select_option(way)
        self.press("Open")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def reauthenticate(self, token):
        self.page.get_by_label("Fresh token").fill(token)
        self.press("Send auth")

    def send(self, frame):
        self.page.get_by_label("By hand", exact=True).fill(frame)
        self.press("Send by hand")

    def says(self, status):
        expect(self.page.get_by_role("status")).to_have_text(re.compile(f"^{status}"))

    def hears(self, *lines):
        """These lines of the log, in this order; others may stand between them."""
        pattern = r"[\s\S]*".join(re.escape(line) for line in lines)
        expect(self.page.get_by_role("log")).to_have_text(re.compile(pattern))

    def ends(self, slug, code, action):
        """Closed with a code, and what is done about it: a wait may be over before it is seen."""
        self.hears(f'"code":"{slug}"', f"S* {code} {slug}", f"C= {action}")


@pytest.fixture
def client(site, tokens, load):
    return Client(load(site.url))


def ok(user_id="7", expires_in=None):
    message = {"type": "auth.ok", "expires_in": expires_in, "user_id": user_id}
    return "S: " + json.dumps(message, separators=(",", ":"))


# -- In


@pytest.mark.parametrize("token", ["ada", "a=b/c", "café€"])
@pytest.mark.parametrize("way", ["subprotocol", "first", "ticket"])
def test_each_way_leads_in(client, token, way):
    client.open(token, way=way)
    client.says("in")
    required = ['S: {"type":"auth.required","timeout":10}'] if way == "first" else []
    client.hears("S> 101 token-auth.v1", *required, ok())
    client.send("hello")
    client.hears("C: hello", "S: hello")


def test_pings_are_answered_and_bytes_are_the_applications(client):
    client.open()
    client.says("in")
    client.press("Send auth.ping")
    client.hears(f"C: {PING}", f"S: {PONG}")
    client.press("Send a byte")
    client.hears("S: binary")


def test_a_reauthentication_is_answered(client):
    client.open()
    client.says("in")
    client.reauthenticate("next")
    client.hears(ok(), 'C: {"type":"auth","token":"…"}', ok())


def test_a_warning_is_answered_with_the_fresh_token(client, tokens):
    with frozen_clock():  # the token does not expire before a slow browser presents it
        client.open(tokens.issue(ADA, lifetime=20), fresh="next")
        client.hears('S: {"type":"auth.expiring","expires_in":', 'C: {"type":"auth"', ok())
        client.says("in")


def test_an_anonymous_socket_is_nobodys(client):
    client.open("", path="/anonymous/")
    client.hears('S: {"type":"auth.ok","expires_in":null,"user_id":null}')


def test_a_socket_closed_by_the_client_stays_closed(client):
    client.open()
    client.says("in")
    client.press("Close")
    client.says("closed")


# -- Each close code, and what is done about it


@pytest.mark.parametrize("frame", ['{"type":"auth"}', '{"type":"auth","token":"ada"'])
def test_4400_stops(client, frame):
    client.open("", way="hand")
    client.says("asked")
    client.send(frame)
    client.ends("malformed", 4400, "stop")


@pytest.mark.parametrize(
    ("token", "path", "slug"), [("", "/plain/", "token_missing"), ("wrong", "/", "token_invalid")]
)
def test_4401_means_log_in(client, token, path, slug):
    client.open(token, path=path)
    client.ends(slug, 4401, "log in")
    expect(client.page.get_by_label("Token", exact=True)).to_have_value("")


@pytest.mark.parametrize("frame", ["hello", "{", PING])
def test_4401_answers_a_first_frame_of_another_protocol(client, frame):
    client.open("", way="hand")
    client.says("asked")
    client.send(frame)
    client.ends("token_missing", 4401, "log in")


def test_4403_stops(client):
    client.open(path="/denies/", way="first")
    client.ends("forbidden", 4403, "stop")


def test_4408_backs_off(client):
    client.open(path="/hasty/", way="hand")
    client.ends("auth_timeout", 4408, "back off")


def test_4409_stops(client):
    client.open()
    client.says("in")
    client.reauthenticate("bob")
    client.ends("identity_changed", 4409, "stop")


def test_4409_stops_an_anonymous_socket_too(client):
    client.open("", path="/anonymous/")
    client.says("in")
    client.reauthenticate("ada")
    client.ends("identity_changed", 4409, "stop")


def test_4410_means_log_in(client, site):
    client.open()
    client.says("in")
    site.close("token_revoked")
    client.ends("token_revoked", 4410, "log in")


def test_4410_tries_another_token_first(client, site):
    client.open(fresh="next")
    client.says("in")
    site.close("token_revoked")
    client.hears("S* 4410 token_revoked", "C> / token-auth.v1, bearer.…", ok())
    client.says("in")


def test_4401_twice_means_log_in(client):
    client.open("wrong", fresh="wrong-too")
    client.hears("S* 4401 token_invalid", "S* 4401 token_invalid", "C= log in: 4401")


def test_4413_stops(client):
    client.open()
    client.says("in")
    client.send(json.dumps({"type": "auth", "token": "x" * 5000}))
    client.ends("too_large", 4413, "stop")


def test_4419_reconnects_at_once_with_the_fresh_token(client, tokens):
    client.open(tokens.issue(ADA, lifetime=-1), fresh="next")
    client.hears('"code":"token_expired"', "S* 4419 token_expired", ok())
    client.says("in")


def test_4419_twice_backs_off(client, tokens):
    client.open(tokens.issue(ADA, lifetime=-1), fresh=tokens.issue(ADA, lifetime=-2))
    client.hears("S* 4419", "S* 4419", "C= back off: 4419")


def test_4419_without_a_fresh_token_means_log_in(client, tokens, site):
    with frozen_clock() as clock:
        client.open(tokens.issue(ADA, lifetime=20))
        client.hears('S: {"type":"auth.ok"', 'S: {"type":"auth.expiring"')
        site.let_pass(clock, 21)
        client.ends("token_expired", 4419, "log in")


def test_4419_of_an_old_connection_reconnects_with_its_token(client):
    client.open(path="/aging/")
    client.hears("S* 4419", "C> GET check/", "S> 200", ok(expires_in=0))


def test_4423_stops(client):
    client.open("eve")
    client.ends("user_inactive", 4423, "stop")


def test_4429_backs_off(client, tokens):
    client.open()
    client.says("in")
    with tokens.hanging():
        client.reauthenticate("next")
        client.send('{"type":"auth","token":"next"}')
        client.ends("rate_limited", 4429, "back off")


def test_4429_of_too_many_sockets_backs_off(client, tokens):
    tokens.refuse("ada", "connection_limit", retry_after=60)
    client.open()
    client.ends("connection_limit", 4429, "back off")


def test_4503_backs_off_and_comes_back(client, tokens):
    tokens.refuse("ada", "unavailable", retry_after=1)
    client.open()
    client.ends("unavailable", 4503, "back off")
    tokens.issue(ADA, token="ada")
    client.says("in")


def test_a_store_that_is_away_in_a_reauthentication_leaves_the_socket_open(client, tokens):
    tokens.refuse("next", "unavailable", retry_after=1)
    client.open()
    client.says("in")
    client.reauthenticate("next")
    client.hears('S: {"type":"auth.error","code":"unavailable","retry":true,"retry_after":1}')
    tokens.issue(ADA, token="next")
    client.hears('"retry_after":1}', 'C: {"type":"auth","token":"…"}', ok())


def test_a_verification_that_hangs_is_unavailable(client, tokens):
    with tokens.hanging():
        client.open(path="/hasty/")
        client.ends("unavailable", 4503, "back off")


# -- 1006, HTTP, and servers that break the protocol


@pytest.mark.parametrize(
    ("token", "status", "action"), [("wrong", 401, "log in"), ("ada", 200, "back off")]
)
def test_1006_before_the_opening_asks_over_http(client, token, status, action):
    client.open(token, path="/unseen/")
    client.hears("S* 1006", "C> GET check/", f"S> {status}", f"C= {action}: 1006")


def test_1006_without_a_token_is_no_refusal(client):
    client.open("", path="/unseen/")
    client.hears("S* 1006", "C= back off: 1006")
    expect(client.page.get_by_role("log")).not_to_contain_text("check/")


def test_ticket_without_a_token_is_asked_for_with_the_session(client):
    client.open("", way="ticket")
    client.hears("C> POST ticket/", "S> 401")
    client.says("log in: token_missing")


@pytest.mark.parametrize(
    ("token", "status"), [("wrong", "log in: token_invalid"), ("eve", "stop: user_inactive")]
)
def test_a_ticket_that_is_refused_is_obeyed_like_the_code(client, token, status):
    client.open(token, way="ticket")
    client.hears("C> POST ticket/", "S> 401")
    client.says(status)


@pytest.mark.parametrize(
    ("path", "why"), [("/leaks/", "the server leaks"), ("/talks/", "a frame before auth.ok")]
)
def test_a_server_that_breaks_the_protocol_is_left(client, path, why):
    client.open(path=path)
    client.hears("C* 1000")
    client.says(f"stop: {why}")


def test_no_token_is_shown(client):
    token = "n0b0dys-t0ken"
    client.open(token, way="first")
    client.ends("token_invalid", 4401, "log in")
    assert token not in client.page.content()
