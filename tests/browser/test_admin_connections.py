"""The admin's page of live connections, in a real browser: it refreshes itself, under our CSP."""

import pytest
from playwright.sync_api import expect
from websockets.exceptions import ConnectionClosed

from tests.browser.axe import COLORS, SERIOUS, findings

LIST = "/admin/channels_token_auth/connections/"
USER, PASSWORD = "testuserone", "testing123"


@pytest.fixture(scope="module")
def signed_in(system, page_of_all):
    """Return the page of all tests once its administrator has logged in."""
    page_of_all.goto(f"{system.url}/admin/login/?next={LIST}")
    name, password = system.administrator
    page_of_all.get_by_label("Username").fill(name)
    page_of_all.get_by_label("Password").fill(password)
    page_of_all.get_by_role("button", name="Log in").click()
    expect(page_of_all).to_have_title("Live connections | Django site admin")
    return page_of_all


@pytest.fixture
def page(system, signed_in, load):
    """An administrator's, on the list; whatever the policy forbids fails the test."""
    said = []

    def note(message):
        said.append(message.text)

    signed_in.on("console", note)
    signed_in.set_viewport_size({"width": 1280, "height": 600})
    signed_in.emulate_media(color_scheme="light")
    yield load(f"{system.url}{LIST}")
    signed_in.unroute_all()
    signed_in.remove_listener("console", note)
    assert [each for each in said if "Security Policy" in each] == []


@pytest.fixture
def token(system):
    return system.token(USER, PASSWORD)


def rows(page):
    return expect(page.locator("#connections tr"))


def test_list_follows_the_sockets_by_itself(system, page, token):
    rows(page).to_have_count(0)
    with system.socket(f"/?token={token}"):
        rows(page).to_have_count(1)
        expect(page.locator("#connections")).to_contain_text(USER)
        expect(page.locator("#connection-summary")).to_have_text("1 connection")
    rows(page).to_have_count(0)


def test_panels_follow_the_sockets_by_themselves(system, page, token):
    panels = page.locator("#connection-panels")
    by_user = panels.get_by_role("table", name="Connections by user")
    expect(by_user).to_contain_text("No connections.")
    with system.socket(f"/?token={token}"), system.socket(f"/?token={token}"):
        expect(by_user.get_by_role("row", name=f"{USER} 2")).to_be_visible()
    expect(by_user).to_contain_text("No connections.")
    ended = panels.get_by_role("table", name="Closed in the last hour")
    expect(ended.get_by_role("rowheader", name="by client or application")).to_be_visible()


def test_page_fits_a_phone(system, page, token):
    page.set_viewport_size({"width": 320, "height": 800})
    with system.socket(f"/?token={token}"):
        rows(page).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_one_is_closed_after_a_confirmation(system, page, token):
    with system.socket(f"/?token={token}") as ws:
        page.get_by_role("link", name="Close").click()
        page.get_by_label("Also revoke the token").uncheck()
        page.get_by_role("button", name="Yes, I’m sure").click()
        expect(page.locator(".success")).to_contain_text(f"Closed the connection of {USER}")
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=60)
        assert closed.value.rcvd.code == 4410
        rows(page).to_have_count(0)
    assert system.token(USER, PASSWORD) == token


def test_all_of_a_user_are_closed_and_signed_out(system, page, token):
    with system.socket(f"/?token={token}"), system.socket(f"/?token={token}"):
        page.get_by_label("User, IP address or label").fill(USER)
        page.get_by_role("button", name="Search").click()
        rows(page).to_have_count(2)
        page.get_by_role("link", name="Close all of this user").click()
        page.get_by_role("button", name="Yes, I’m sure").click()
        expect(page.locator(".success")).to_have_text(f"Closed all connections of {USER}.")
        rows(page).to_have_count(0)
    assert system.token(USER, PASSWORD) != token


def test_index_and_sidebar_lead_to_the_page(system, page):
    page.goto(f"{system.url}/admin/")
    page.locator("#content-main").get_by_role("link", name="Live connections").click()
    expect(page.get_by_role("heading", name="Live connections")).to_be_visible()


@pytest.mark.slow
def test_focus_stays_on_a_link_while_others_come_and_go(system, page, token):
    with system.socket(f"/?token={token}"):
        link = page.get_by_role("link", name="Close")
        address = link.get_attribute("href")
        link.focus()
        with system.socket(f"/?token={token}"):
            rows(page).to_have_count(2)
            assert page.evaluate("document.activeElement.pathname") == address
        rows(page).to_have_count(1)
        assert page.evaluate("document.activeElement.pathname") == address
    rows(page).to_have_count(0)
    expect(page.get_by_role("region", name="Live connections")).to_be_focused()


def test_every_column_has_a_heading(page):
    headings = page.get_by_role("columnheader").all_text_contents()
    assert headings[-1] == "Action"
    assert all(headings)


def problems(page):
    """Return what axe finds in either color scheme."""
    switch_colors(page, "light")
    found = findings(page, SERIOUS)
    switch_colors(page, "dark")
    return found + findings(page, SERIOUS, rules=COLORS)


def switch_colors(page, scheme):
    """Wait for the admin's links: their color changes slowly, with too little contrast halfway."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(
        """async () => {
            for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
            await Promise.allSettled(document.getAnimations().map((each) => each.finished));
        }"""
    )


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_serious(system, page, token, width):
    page.set_viewport_size({"width": width, "height": 800})
    with system.socket(f"/?token={token}"):
        rows(page).to_have_count(1)
        assert problems(page) == []
        page.get_by_role("link", name="Close").click()
        expect(page.get_by_label("Also revoke the token")).to_be_visible()
        assert problems(page) == []


def test_axe_finds_nothing_serious_while_the_site_does_not_answer(page):
    page.route("**/data/*", lambda route: route.abort())
    expect(page.get_by_role("status")).to_contain_text("does not answer")
    assert findings(page, SERIOUS) == []
