"""A client written for the tutorial, in a real browser: from a file, and served by another port."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.example.system import ExampleSystem

CLIENT = Path(__file__).with_name("tutorial_client.html")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def write_client(folder, system):
    """Write the client to a file with the system's port, and change nothing else."""
    path = folder / "client.html"
    path.write_text(CLIENT.read_text().replace(":8000", f":{system.port}"))
    return path


@pytest.fixture
def client(system, tmp_path):
    return write_client(tmp_path, system)


@pytest.fixture(params=["localhost", "127.0.0.1"])
def served(request, client):
    """The client on a development server of its own, as front ends have one."""
    handler = functools.partial(Quiet, directory=str(client.parent))
    with ThreadingHTTPServer((request.param, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{request.param}:{server.server_port}/{client.name}"
        server.shutdown()
        thread.join()


def use(page, username):
    """Try a wrong password, and then the right one."""
    page.get_by_placeholder("Username").fill(username)
    page.get_by_placeholder("Password").fill("wrong")
    page.get_by_role("button", name="Login").click()
    expect(page.locator("#answer")).to_have_text("user not found")
    page.get_by_placeholder("Password").fill("123")
    page.get_by_role("button", name="Login").click()
    expect(page.locator("#answer")).to_have_text(
        "The command to say hello was received from the tutorial"
    )


def test_client_in_a_file_works_unchanged(client, new_page):
    use(new_page(client.as_uri()), "suraj")


def test_client_on_another_local_port_works_unchanged(served, new_page):
    use(new_page(served), "suraj")


@pytest.mark.slow  # eleven logins, each with its hash
def test_client_without_a_field_and_one_that_is_throttled_get_the_reason(folder, new_page):
    with ExampleSystem(folder) as throttled:
        page = new_page(write_client(folder, throttled).as_uri())
        for _ in range(11):
            page.locator("#answer").evaluate("(shown) => { shown.textContent = ''; }")
            page.get_by_role("button", name="Login").click()
            expect(page.locator("#answer")).to_have_text("user not found")
