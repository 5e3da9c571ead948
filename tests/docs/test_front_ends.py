"""The pages on front ends run: their files are bundled, served, and used in a real browser."""

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import chromium
from tests.client.node import CLIENT, NODE
from tests.docs.browser import PASSWORD, Admin, Console
from tests.docs.hello_site import TOKEN, populate, token_of_ada
from tests.docs.pages import read, snippets
from tests.docs.project import Project

pytestmark = pytest.mark.slow
FOLDER = "docs/how-to/front-ends"
DEADLINE = 240_000  # milliseconds; long, since it only ends what is broken
# The element that a framework fills; the test gives it the token.
MOUNT = """\
<!doctype html>
<meta charset="utf-8">
<title>Chat</title>
<div id="root"></div>
<script type="module" src="/static/bundle.js"></script>
"""
REACT = """\
import { createElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Chat } from "./Chat.jsx";
const chat = createElement(Chat, { token: location.hash.slice(1) });
createRoot(document.getElementById("root")).render(createElement(StrictMode, null, chat));
"""
VUE = """\
import { createApp } from "vue";
import { Chat } from "./Chat.js";
createApp(Chat, { token: location.hash.slice(1) }).mount("#root");
"""


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """The tutorial's site with ada and her token, and with a folder of static files."""
    project = Project(tmp_path_factory.mktemp("tutorial"))
    project.write(read("docs/tutorial/index.md"))
    (project.folder / "static_files").mkdir()
    with (project.folder / "mysite" / "settings.py").open("a") as settings:
        settings.write('\nSTATICFILES_DIRS = [BASE_DIR / "static_files"]\n')
    populate(project, PASSWORD, TOKEN)
    return project


@pytest.fixture
def project(tutorial, tmp_path):
    """A copy, to which a page adds its files."""
    return tutorial.copy(tmp_path)


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(DEADLINE)
    expect.set_options(timeout=DEADLINE)
    yield page
    context.close()


def bundle(project, main, name):
    """Build the page's files as a site's bundler does."""
    source = project.folder / "src"
    (source / name).write_text(main)
    (project.folder / "node_modules").symlink_to(CLIENT / "node_modules")
    command = [NODE, CLIENT / "node_modules" / "esbuild" / "bin" / "esbuild", source / name]
    command += ["--bundle", "--format=esm", "--jsx=automatic", "--log-level=warning"]
    command += [f"--alias:channels-token-auth={CLIENT / 'src' / 'index.ts'}"]
    command += [f"--outfile={project.folder / 'static_files' / 'bundle.js'}"]
    subprocess.run(command, check=True, cwd=project.folder)
    (project.folder / "mysite" / "templates" / "index.html").write_text(MOUNT)


@pytest.mark.parametrize(
    ("name", "main", "file"), [("react", REACT, "main.jsx"), ("vue", VUE, "main.js")]
)
def test_component_talks_and_ends_with_its_token(project, page, name, main, file):
    project.write(read(f"{FOLDER}/{name}.md"))
    bundle(project, main, file)
    token = token_of_ada(project)
    with project.serve() as base:
        page.goto(f"http://{base}/#{token}")
        expect(page.get_by_role("status")).to_have_text("open")
        expect(page.get_by_role("list")).to_contain_text("hello ada")
        page.get_by_role("button", name="Say hi").click()
        expect(page.get_by_role("list")).to_contain_text("You wrote: hi")
        Admin(base).delete_token()
        expect(page.get_by_role("status")).to_have_text("signed out")


def test_plain_page_logs_in_and_shows_the_login_when_the_token_ends(project, page):
    project.write(read(f"{FOLDER}/plain-javascript.md"))
    with project.serve() as base:
        page.goto(f"http://{base}/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("status")).to_have_text("You are connected.")
        expect(page.locator("#log")).to_contain_text("hello ada")
        Admin(base).delete_token()
        expect(page.get_by_role("status")).to_have_text("You were signed out.")
        expect(page.get_by_role("button", name="Log in")).to_be_visible()


@pytest.fixture(scope="module")
def htmx(tmp_path_factory):
    """Serve the page's site, with ada."""
    project = Project(tmp_path_factory.mktemp("htmx"))
    project.write(read("README.md"))
    settings = project.folder / "mysite" / "settings.py"
    text = settings.read_text()  # without the settings of the README
    settings.write_text(text[: text.index('INSTALLED_APPS = [\n    "daphne"')])
    project.write(read(f"{FOLDER}/htmx.md"))
    asgi = project.folder / "mysite" / "asgi.py"
    asgi.write_text(
        asgi.read_text().replace("HelloConsumer", "ChatConsumer").replace("hello/", "chat/")
    )
    for source in ("htmx.org/dist/htmx.min.js", "htmx-ext-ws/ws.js"):
        static = project.folder / "static_files"
        static.mkdir(exist_ok=True)
        (static / source.rpartition("/")[2]).write_bytes(
            (CLIENT / "node_modules" / source).read_bytes()
        )
    with settings.open("a") as file:
        file.write('\nSTATICFILES_DIRS = [BASE_DIR / "static_files"]\n')
    populate(project, PASSWORD)
    with project.serve() as base:
        yield base


@pytest.mark.parametrize("path", ["/", "/tickets/"])
def test_htmx_swaps_in_what_the_consumer_sends(htmx, page, path):
    page.goto(f"http://{htmx}/admin/login/?next={path}")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#log")).to_contain_text("hello ada")
    page.get_by_label("Text").fill("<b>good morning")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("<b>good morning")


def test_python_client_prints_and_stops_when_the_token_ends(project):
    project.write(read(f"{FOLDER}/python.md"))
    token = token_of_ada(project)
    with project.serve() as base:
        command = [sys.executable, "client.py", f"ws://{base}/chat/"]
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=project.folder, **options) as client:
            client.stdin.write(f"{token}\n")
            client.stdin.flush()
            console = Console(client)
            assert console.line() == '{"text": "hello ada"}'
            Admin(base).delete_token()
            assert console.line() == "closed with 4410"


def test_react_native_client_talks_and_stops_when_the_token_ends(project):
    main, codes = snippets(f"{FOLDER}/react-native.md", "js")
    script = re.sub(
        r"^(?:import|export) ",
        "",
        f"{codes}\n{main}".replace('import { actionOf } from "./close-codes";\n', ""),
        flags=re.MULTILINE,
    )
    token = token_of_ada(project)
    with project.serve() as base:
        use = f"""
            connect("ws://{base}/chat/", async () => "{token}", {{
              onMessage: ({{ text }}) => console.log(text),
              onSignedOut: (code) => console.log("signed out", code),
            }});
        """
        # Node takes subprotocols and headers in one argument: as React Native's two.
        patch = """
            const Platform = WebSocket;
            globalThis.WebSocket = class extends Platform {
              constructor(url, protocols, options) { super(url, { protocols, ...options }); }
            };
        """
        with Console.run(patch + script + use) as console:
            assert console.line() == "hello ada"
            Admin(base).delete_token()
            assert console.line() == "signed out 4410"
