"""The page at `/`, in a real browser."""

import itertools
import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import COLORS, findings
from tests.example.system import EXAMPLE, ExampleSystem
from tests.faults.proxy import proxy_to

PAGE_FILE = EXAMPLE / "hello" / "page" / "index.html"

USER, PASSWORD = "testuserone", "testing123"
NEWCOMERS = (f"newcomer-{number}" for number in itertools.count())
# A user with the password of another one, whom no test has logged in yet.
NEW_USER = """
    INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser, first_name,
                           last_name, email, date_joined)
    SELECT ?, password, 1, 0, 0, '', '', '', date_joined FROM auth_user WHERE username = ?
"""


@pytest.fixture
def way(system):
    """Yield a way to the server. A test that kills it does to a page what a lost server does."""
    with proxy_to(("127.0.0.1", system.port)) as proxy:
        yield proxy
        proxy.kill()


def log_in(page, username=USER, password=PASSWORD):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login").click()


def status(page):
    return expect(page.get_by_role("status"))


def answers(page):
    return expect(page.locator("#log .received"))


def test_right_password_connects_and_the_server_answers(system, load):
    page = load(system.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    page.get_by_label("Your text").fill("Grüße <b>")
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_contain_text("The command to say hello was received: Grüße <b>")


def test_frame_is_shown_on_demand(system, load):
    page = load(system.url)
    log_in(page)
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)
    frame = page.locator(".received code")
    expect(frame).to_be_hidden()
    page.locator(".received summary").click()
    expect(frame).to_contain_text('"data_string_bacK": "Hello from the browser"')


@pytest.mark.asvs("14.3.3")
def test_token_is_in_no_address_storage_or_document(system, new_page):
    page = new_page(system.url)
    addresses = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("websocket", lambda socket: addresses.append(socket.url))
    log_in(page)
    status(page).to_have_text("Connected.")
    token = system.token(USER, PASSWORD)
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    fields = page.evaluate("[...document.querySelectorAll('input')].map((i) => i.value).join()")
    assert {f"{system.url}/api/login/", f"{system.url}/".replace("http", "ws")} <= {*addresses}
    for text in [*addresses, stored, fields, page.content()]:
        assert token not in text
        assert PASSWORD not in text


def test_text_that_is_typed_after_the_login_replaces_the_example(system, load):
    page = load(system.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    page.keyboard.type("good morning")
    expect(page.get_by_label("Your text")).to_have_value("good morning")


@pytest.mark.parametrize("username", [USER, "x" * 151])
def test_wrong_login_is_said_and_another_try_is_possible(system, load, username):
    page = load(system.url)
    log_in(page, username, "wrong")
    status(page).to_have_text("Wrong username or password.")
    expect(page.get_by_label("Password")).to_have_attribute("type", "password")
    log_in(page)
    status(page).to_have_text("Connected.")


def test_double_click_logs_in_and_connects_once(system, new_page):
    page = new_page(system.url)
    made = []
    page.on("request", lambda request: made.append(request.method))
    page.on("websocket", lambda socket: made.append("WebSocket"))
    page.get_by_label("Username").fill("suraj")
    page.get_by_label("Password").fill("123")
    page.get_by_role("button", name="Login").dblclick()
    status(page).to_have_text("Connected.")
    assert (made.count("POST"), made.count("WebSocket")) == (1, 1)


def test_too_many_attempts_are_said_with_the_time_to_wait(folder, load):
    with ExampleSystem(folder) as throttled:
        page = load(throttled.url)  # first: the attempts count for a minute only
        for _ in range(11):
            throttled.log_in(username="somebody")
        log_in(page, "somebody", "secret")
        status(page).to_contain_text("Too many attempts. Try again in ")


def test_no_server_is_said(load):
    page = load(f"{PAGE_FILE.as_uri()}?server=http://127.0.0.1:1")
    log_in(page)
    status(page).to_have_text("No server answers at http://127.0.0.1:1.")


@pytest.mark.slow
def test_lost_server_is_said_and_the_next_one_is_found(folder, load):
    with ExampleSystem(folder) as first:
        page = load(first.url)
        log_in(page)
        status(page).to_have_text("Connected.")
        first.kill()
        waiting = re.compile(r"The connection was lost\. Reconnecting in \d+ s\.")
        status(page).to_have_text(waiting)
        expect(page.get_by_role("button", name="Connect again")).to_be_visible()
        expect(page.get_by_role("button", name="Say hello")).to_be_disabled()
        # Nobody reads out how long it takes.
        timer = page.get_by_role("status").get_by_role("timer")
        expect(timer).to_have_text(re.compile(r"in \d+ s\."))
        expect(timer).to_have_attribute("aria-live", "off")
    with ExampleSystem(folder, port=first.port):
        status(page).to_have_text("Connected.")


@pytest.mark.slow
def test_focus_and_text_outlive_a_reconnection(way, load):
    page = load(way.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    text = page.get_by_label("Your text")
    text.fill("Half of a sent")
    way.kill()
    status(page).to_contain_text("Reconnecting")
    text.press("Enter")  # sends nothing
    page.keyboard.type("ence")
    expect(text).to_be_focused()
    way.revive()
    status(page).to_have_text("Connected.")
    expect(text).to_be_focused()
    page.keyboard.press("Enter")
    answers(page).to_have_count(1)
    answers(page).to_contain_text("Half of a sentence")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Say hello", "Sign out everywhere else"])
def test_button_keeps_the_focus_over_a_reconnection(way, load, name):
    page = load(way.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    page.get_by_role("button", name=name).focus()
    way.kill()
    status(page).to_contain_text("Reconnecting")
    expect(page.get_by_role("button", name=name)).to_be_focused()
    way.revive()
    status(page).to_have_text("Connected.")
    expect(page.get_by_role("button", name=name)).to_be_focused()


@pytest.mark.slow
def test_repeated_losses_are_one_line(way, load):
    page = load(way.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    way.kill()
    losses = page.locator("#log .system", has_text="The connection was lost.")
    # The page also tries by itself, so on a slow machine there are more attempts than clicks.
    for attempts in ("[1-9]", "[2-9]"):
        page.get_by_role("button", name="Connect again").click()
        expect(losses).to_contain_text(re.compile(rf"Failed attempts to reconnect: {attempts}"))
    expect(losses).to_have_count(1)


@pytest.mark.slow
def test_click_ends_the_wait_for_the_next_server(way, new_page):
    page = new_page(way.url)
    page.clock.install()
    log_in(page)
    status(page).to_have_text("Connected.")
    way.kill()
    status(page).to_contain_text("Reconnecting in ")
    # The page must not come back by itself before the click.
    page.clock.pause_at(page.evaluate("Date.now()") + 5000)
    status(page).to_contain_text("Reconnecting in ")
    way.revive()
    page.get_by_role("button", name="Connect again").click()
    page.clock.run_for(2000)  # the longest of the first waits
    status(page).to_have_text("Connected.")
    expect(page.get_by_label("Your text")).to_be_focused()


@pytest.mark.slow
def test_time_left_is_said_and_a_socket_signs_in_anew(folder, load):
    with ExampleSystem(folder, EXAMPLE_MAX_CONNECTION_AGE="5") as system:
        page = load(system.url)
        log_in(page)
        status(page).to_have_text("Connected.")
        expect(page.get_by_text(" s left.")).to_be_visible()
        expect(page.locator("#log")).to_contain_text("Signed in anew.")
        status(page).to_have_text("Connected.")


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (0, "Signed out everywhere else. No other device was connected."),
        (1, "Signed out on 1 other device."),
        (2, "Signed out on 2 other devices."),
    ],
)
def test_sign_out_everywhere_else_ends_the_others_and_is_confirmed(
    system, load, new_page, others, said
):
    name = next(NEWCOMERS)  # the sockets of another test's user may not have ended yet
    system.change(NEW_USER, name, USER)
    pages = [load(system.url), *(new_page(system.url) for _ in range(others))]
    for each in pages:
        log_in(each, name)
        status(each).to_have_text("Connected.")
    page, *rest = pages
    button = page.get_by_role("button", name="Sign out everywhere else")
    button.click()
    for each in rest:
        status(each).to_have_text("Your session was ended. Log in again.")
    status(page).to_have_text(said)
    expect(button).to_be_focused()
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)


def test_sign_out_everywhere_else_without_an_answer_is_said(system, new_page):
    page = new_page(system.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    page.route("**/api/sign-out-everywhere-else/", lambda route: route.abort())
    page.get_by_role("button", name="Sign out everywhere else").click()
    status(page).to_have_text("The other devices are still signed in.")
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)


def test_token_that_is_deleted_in_the_admin_ends_the_page(system, new_page):
    name, password = system.administrator
    page, admin = new_page(system.url), new_page(f"{system.url}/admin/accounts/usertoken/")
    log_in(page)
    status(page).to_have_text("Connected.")
    admin.get_by_label("Username").fill(name)
    admin.get_by_label("Password").fill(password)
    admin.get_by_role("button", name="Log in").click()
    admin.get_by_role("link", name=USER).click()
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name="Yes").click()
    status(page).to_have_text("Your session was ended. Log in again.")
    expect(page.get_by_role("button", name="Login")).to_be_visible()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM authtoken_token WHERE user_id IN", "The token is not valid. Log in again."),
        ("UPDATE auth_user SET is_active = 0 WHERE id IN", "This account"),
    ],
    ids=["token", "user"],
)
def test_refusal_is_said_with_its_reason(system, new_page, change, said):
    # Users of their own: the server remembers for a while whom it has verified.
    name, page = next(NEWCOMERS), new_page(system.url)
    system.change(NEW_USER, name, USER)

    def log_in_and_lose_the_right(route):
        answer = route.fetch()
        system.change(f"{change} (SELECT id FROM auth_user WHERE username = ?)", name)
        route.fulfill(response=answer)

    page.route("**/api/login/", log_in_and_lose_the_right)
    log_in(page, name)
    status(page).to_contain_text(said)
    expect(page.get_by_role("button", name="Login")).to_be_visible()


def test_sign_out_closes_the_socket_and_forgets_the_token(system, load):
    page = load(system.url)
    with page.expect_websocket() as opened:
        log_in(page)
    status(page).to_have_text("Connected.")
    with opened.value.expect_event("close"):
        page.get_by_role("button", name="Sign out", exact=True).click()
    status(page).to_have_text("Signed out.")
    expect(page.get_by_label("Username")).to_be_focused()
    expect(page.get_by_role("button", name="Say hello")).to_be_disabled()


def test_page_works_from_a_file(system, load):
    page = load(f"{PAGE_FILE.as_uri()}?server={system.url}")
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_contain_text("data_string_bacK")


def test_page_in_a_file_speaks_to_the_development_server_by_default(new_page):
    page = new_page(PAGE_FILE.as_uri())
    page.route("http://127.0.0.1:8000/**", lambda route: route.abort())
    log_in(page)
    status(page).to_have_text("No server answers at http://127.0.0.1:8000.")


def test_served_page_cannot_be_made_to_send_passwords_elsewhere(system, load):
    page = load(f"{system.url}/?server=http://127.0.0.1:1")
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")


def test_keyboard_alone_is_enough(system, load):
    page = load(system.url)
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type(USER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    status(page).to_have_text("Connected.")
    expect(page.get_by_label("Your text")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Another")
    page.keyboard.press("Enter")
    answers(page).to_have_count(2)
    answers(page).to_contain_text(['"Hello from the browser"', '"Another"'])


def test_messages_are_a_list_in_a_log(system, load):
    page = load(system.url)
    log_in(page)
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)
    items = page.get_by_role("log", name="Messages").get_by_role("list").get_by_role("listitem")
    expect(items).to_have_count(3)  # connected, sent, received


def test_page_names_the_users_of_the_demo_and_leads_to_the_admin(system, new_page):
    page = new_page(system.url)
    expect(page.locator("#demo")).to_contain_text(f"Log in as {USER} / {PASSWORD} or suraj / 123.")
    log_in(page)
    status(page).to_have_text("Connected.")
    expect(page.get_by_text("Reloading signs you out")).to_be_visible()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the admin").click()
    expect(opened.value).to_have_title("Log in | Django site admin")
    status(page).to_have_text("Connected.")


def test_page_of_a_public_site_names_nobody(system, new_page):
    page = new_page("about:blank")
    page.route("**/api/demo/", lambda route: route.fulfill(json={}))
    with page.expect_response("**/api/demo/"):
        page.goto(system.url)
    page.get_by_label("Username").click()
    expect(page.locator("#demo")).to_be_hidden()


def widest(page):
    """The width that the page needs: more than the window's means that it scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [320, 390])
def test_phone_needs_no_sideways_scrolling(system, new_page, width):
    page = new_page(system.url, viewport={"width": width, "height": 740})
    assert widest(page) == width
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")
    page.get_by_label("Your text").fill("x" * 300)
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)
    page.locator(".received summary").click()
    assert widest(page) == width


@pytest.mark.slow
def test_phone_needs_no_sideways_scrolling_while_the_server_is_lost(way, new_page):
    page = new_page(way.url, viewport={"width": 320, "height": 740})
    log_in(page)
    status(page).to_have_text("Connected.")
    way.kill()
    status(page).to_contain_text("Reconnecting")
    assert widest(page) == 320


def problems(page):
    """Return what axe finds in either color scheme."""
    page.emulate_media(color_scheme="light")
    found = findings(page)
    page.emulate_media(color_scheme="dark")
    return found + findings(page, rules=COLORS)


@pytest.mark.slow
def test_axe_finds_nothing_in_any_state(way, new_page):
    page = new_page(way.url)
    expect(page.get_by_role("link", name="Open the admin")).to_be_visible()
    assert problems(page) == []
    log_in(page, USER, "wrong")
    status(page).to_have_text("Wrong username or password.")
    assert problems(page) == []
    log_in(page)
    page.get_by_role("button", name="Say hello").click()
    answers(page).to_have_count(1)
    page.locator(".received summary").click()
    assert problems(page) == []
    way.kill()
    status(page).to_contain_text("Reconnecting")
    assert problems(page) == []
