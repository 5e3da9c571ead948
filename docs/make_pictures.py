"""Take the pictures of the documents: `python -m docs.make_pictures`. Needs Chromium.

They show the running example, so they are right as long as the example's tests are.
"""

import base64
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import chromium
from tests.example.system import ExampleSystem

IMAGES = Path(__file__).parent / "images"
PHONE = {"width": 360, "height": 560}
DESK = {"width": 600, "height": 560}
WIDE = {"width": 1280, "height": 500}
LIST = "/admin/channels_token_auth/connections/"
SCALE = 2

PANELS = """
<style>
  body { margin: 0; font: 600 15px/1.4 system-ui, sans-serif; }
  main { display: flex; gap: 24px; width: max-content; padding: 24px; background: #eceeea; }
  figure { margin: 0; }
  figcaption { margin-bottom: 10px; color: #3c4742; }
  img { display: block; height: 455px; border: 1px solid #cfd5d0; border-radius: 12px; }
</style>
<main>%s</main>
"""
PANEL = '<figure><figcaption>%s</figcaption><img src="data:image/png;base64,%s"></figure>'


def main() -> None:
    with TemporaryDirectory() as folder, ExampleSystem(Path(folder)) as system, chromium() as it:
        phone, admin = connected(it, system), administrator(it, system)
        panels = {"1. Logged in on a phone": phone.screenshot()}
        expect(admin.locator("#connections tr")).to_have_count(1)
        admin.set_viewport_size(WIDE)
        admin.screenshot(path=IMAGES / "admin.png")
        admin.set_viewport_size(DESK)
        admin.get_by_role("link", name="Close").click()
        panels["2. An administrator revokes the token"] = admin.screenshot()
        admin.get_by_role("button", name="Yes").click()
        expect(phone.get_by_role("status")).to_contain_text("Your session was ended")
        phone.locator("h1").click()  # the focus is not of interest
        panels["3. The phone is signed out at once"] = phone.screenshot()
        compose(it, panels).locator("main").screenshot(path=IMAGES / "revoked.png")


def connected(browser: Browser, system: ExampleSystem) -> Page:
    page = browser.new_page(viewport=PHONE, device_scale_factor=SCALE)
    page.goto(system.url)
    page.get_by_label("Username").fill("suraj")
    page.get_by_label("Password").fill("123")
    page.get_by_role("button", name="Login").click()
    expect(page.get_by_role("status")).to_have_text("Connected.")
    page.evaluate("window.scrollTo(0, 0)")
    return page


def administrator(browser: Browser, system: ExampleSystem) -> Page:
    (password,) = re.findall(r"demo-admin / (\S+)", system.output)
    page = browser.new_page(viewport=DESK, device_scale_factor=SCALE)
    page.add_init_script("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    page.goto(f"{system.url}/admin/login/?next={LIST}")
    page.get_by_label("Username").fill("demo-admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def compose(browser: Browser, panels: dict[str, bytes]) -> Page:
    """Return a page with the pictures side by side."""
    page = browser.new_page(viewport={"width": 1400, "height": 600}, device_scale_factor=1.5)
    figures = (
        PANEL % (caption, base64.b64encode(picture).decode()) for caption, picture in panels.items()
    )
    page.set_content(PANELS % "".join(figures))
    return page


if __name__ == "__main__":
    main()
