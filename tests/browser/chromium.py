"""Start Debian's Chromium without its window: the shell needs a third of the processor time."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

__all__ = ["chromium"]

PROGRAM = "/usr/bin/chromium-headless-shell"
DEADLINE = 600_000  # milliseconds; it ends what hangs only


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Yield a browser that has no pages yet; `arguments` are of its command line.

    While Playwright runs, so does its event loop, in this thread: a test with a loop of its own
    cannot run inside.
    """
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", *arguments]
        options = {"executable_path": PROGRAM, "args": flags, "timeout": DEADLINE}
        browser = playwright.chromium.launch(**options)
        try:
            yield browser
        finally:
            browser.close()
