"""A client written for the tutorial, in a real browser."""

from pathlib import Path

from playwright.sync_api import expect

CLIENT = Path(__file__).with_name("tutorial_client.html")


def test_client_of_the_tutorial_works_unchanged(system, new_page, tmp_path):
    client = tmp_path / "client.html"
    client.write_text(CLIENT.read_text().replace(":8000", f":{system.port}"))
    page = new_page(client.as_uri())
    page.get_by_placeholder("Username").fill("suraj")
    page.get_by_placeholder("Password").fill("wrong")
    page.get_by_role("button", name="Login").click()
    expect(page.locator("#answer")).to_have_text("user not found")
    page.get_by_placeholder("Password").fill("123")
    page.get_by_role("button", name="Login").click()
    expect(page.locator("#answer")).to_have_text(
        "The command to say hello was received from the tutorial"
    )
