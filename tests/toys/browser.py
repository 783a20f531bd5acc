"""A headless Chromium, Debian's, that collects what pages complain about."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from shutil import which

from playwright.sync_api import Browser, Page, sync_playwright


@dataclass
class Window:
    """A page, and the errors of its console."""

    page: Page
    errors: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    found = which("chromium") or which("google-chrome")
    assert found, "the tests of the page need Chromium; .ci/run installs it"
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=sandbox)
        yield browser
        browser.close()


def window(browser: Browser, address: str, width: int = 1280, height: int = 900) -> Window:
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    opened = Window(page)
    page.on("console", lambda said: opened.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: opened.errors.append(str(error)))
    page.goto(address)
    return opened
