"""The page at `/`, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.example.system import EXAMPLE, ExampleSystem

PAGE_FILE = EXAMPLE / "hello" / "page" / "index.html"
PHONE = {"width": 360, "height": 740}

USER, PASSWORD = "testuserone", "testing123"


def log_in(page, username=USER, password=PASSWORD):
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Login").click()


def status(page):
    return expect(page.get_by_role("status"))


def answers(page):
    return expect(page.locator("#log .received"))


def test_right_password_connects_and_the_server_answers(system, new_page):
    page = new_page(system.url)
    log_in(page)
    status(page).to_have_text("Connected.")
    page.get_by_label("Your text").fill("Grüße <b>")
    page.get_by_role("button", name="Say hello !").click()
    answers(page).to_contain_text('"The command to say hello was received "')
    answers(page).to_contain_text("Grüße <b>")


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
    assert addresses[-2:] == [f"{system.url}/api/login/", f"{system.url}/".replace("http", "ws")]
    for text in [*addresses, stored, fields, page.content()]:
        assert token not in text
        assert PASSWORD not in text


@pytest.mark.parametrize("username", [USER, "x" * 151])
def test_wrong_login_is_said_and_another_try_is_possible(system, new_page, username):
    page = new_page(system.url)
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


def test_too_many_attempts_are_said_with_the_time_to_wait(system, new_page):
    for _ in range(11):
        system.log_in(username="somebody")
    page = new_page(system.url)
    log_in(page, "somebody", "secret")
    status(page).to_contain_text("Too many attempts. Try again in ")


def test_no_server_is_said(new_page):
    page = new_page(f"{PAGE_FILE.as_uri()}?server=http://127.0.0.1:1")
    log_in(page)
    status(page).to_have_text("No server answers at http://127.0.0.1:1.")


def test_lost_server_is_said_and_the_next_one_is_found(tmp_path, new_page):
    with ExampleSystem(tmp_path) as first:
        page = new_page(first.url)
        log_in(page)
        status(page).to_have_text("Connected.")
        first.kill()
        waiting = re.compile(r"The connection was lost\. Reconnecting in \d+ s\.")
        status(page).to_have_text(waiting)
        expect(page.get_by_role("button", name="Connect again")).to_be_visible()
        expect(page.get_by_role("button", name="Say hello !")).to_be_disabled()
    with ExampleSystem(tmp_path, port=first.port):
        status(page).to_have_text("Connected.")


def test_click_ends_the_wait_for_the_next_server(tmp_path, new_page):
    with ExampleSystem(tmp_path) as first:
        page = new_page(first.url)
        page.clock.install()
        log_in(page)
        status(page).to_have_text("Connected.")
        first.kill()
        status(page).to_contain_text("Reconnecting in ")
    with ExampleSystem(tmp_path, port=first.port):
        page.get_by_role("button", name="Connect again").click()
        page.clock.run_for(2000)  # the longest of the first waits
        status(page).to_have_text("Connected.")


def test_time_left_is_said_and_a_socket_signs_in_anew(tmp_path, new_page):
    with ExampleSystem(tmp_path, EXAMPLE_MAX_CONNECTION_AGE="5") as system:
        page = new_page(system.url)
        log_in(page)
        status(page).to_have_text("Connected.")
        expect(page.get_by_text(" s left.")).to_be_visible()
        expect(page.locator("#log")).to_contain_text("Signed in anew.")
        status(page).to_have_text("Connected.")


def test_sign_out_everywhere_else_ends_the_other_page_and_keeps_this_one(system, new_page):
    page, other = new_page(system.url), new_page(system.url)
    for each in (page, other):
        log_in(each, "suraj", "123")
        status(each).to_have_text("Connected.")
    page.get_by_role("button", name="Sign out everywhere else").click()
    status(other).to_have_text("Closed: you were signed out elsewhere. Log in again.")
    expect(page.locator("#log")).to_contain_text("Signed out everywhere else.")
    status(page).to_have_text("Connected.")


def test_token_that_is_deleted_in_the_admin_ends_the_page(system, new_page):
    system.manage(
        *("createsuperuser", "--noinput", "--username", "chief", "--email", "c@example.com"),
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )
    page, admin = new_page(system.url), new_page(f"{system.url}/admin/accounts/usertoken/")
    log_in(page)
    status(page).to_have_text("Connected.")
    admin.get_by_label("Username").fill("chief")
    admin.get_by_label("Password").fill(PASSWORD)
    admin.get_by_role("button", name="Log in").click()
    admin.get_by_role("link", name=USER).click()
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name="Yes").click()
    status(page).to_have_text("Closed: you were signed out elsewhere. Log in again.")
    expect(page.get_by_role("button", name="Login")).to_be_visible()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("auth_token.delete()", "Refused: the token is not valid. Log in again."),
        ("__class__.objects.filter(pk=u.pk).update(is_active=False)", "Refused: this account"),
    ],
)
def test_refusal_is_said_with_its_reason(system, new_page, change, said):
    name = f"user-{len(change)}"
    code = "from django.contrib.auth.models import User as U; "
    system.manage("shell", "-v0", "-c", f"{code}U.objects.create_user('{name}', password='p')")
    page = new_page(system.url)

    def log_in_and_lose_the_right(route):
        answer = route.fetch()
        system.manage(
            "shell", "-v0", "-c", f"{code}u = U.objects.get(username='{name}'); u.{change}"
        )
        route.fulfill(response=answer)

    page.route("**/api/login/", log_in_and_lose_the_right)
    log_in(page, name, "p")
    status(page).to_contain_text(said)
    expect(page.get_by_role("button", name="Login")).to_be_visible()


def test_sign_out_closes_the_socket_and_forgets_the_token(system, new_page):
    page = new_page(system.url)
    with page.expect_websocket() as opened:
        log_in(page)
    status(page).to_have_text("Connected.")
    with opened.value.expect_event("close"):
        page.get_by_role("button", name="Sign out", exact=True).click()
    status(page).to_have_text("Signed out.")
    expect(page.get_by_label("Username")).to_be_focused()
    expect(page.get_by_role("button", name="Say hello !")).to_be_disabled()


def test_page_works_from_a_file(system, new_page):
    page = new_page(f"{PAGE_FILE.as_uri()}?server={system.url}")
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")
    page.get_by_role("button", name="Say hello !").click()
    answers(page).to_contain_text("data_string_bacK")


def test_page_in_a_file_speaks_to_the_development_server_by_default(new_page):
    page = new_page(PAGE_FILE.as_uri())
    page.route("http://127.0.0.1:8000/**", lambda route: route.abort())
    log_in(page)
    status(page).to_have_text("No server answers at http://127.0.0.1:8000.")


def test_served_page_cannot_be_told_to_send_passwords_elsewhere(system, new_page):
    page = new_page(f"{system.url}/?server=http://127.0.0.1:1")
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")


def test_keyboard_alone_is_enough(system, new_page):
    page = new_page(system.url)
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_needs_no_sideways_scrolling(system, new_page, scheme):
    page = new_page(system.url, viewport=PHONE, color_scheme=scheme)
    log_in(page, "suraj", "123")
    status(page).to_have_text("Connected.")
    page.get_by_label("Your text").fill("x" * 300)
    page.get_by_role("button", name="Say hello !").click()
    answers(page).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
