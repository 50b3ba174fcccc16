"""Browsers of signed-in people."""

from __future__ import annotations

import os
import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, StorageState, expect

from tests.e2e.console import ConsoleProcess
from tests.e2e.make_accounts import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KNOWN = '[data-testid="me"]:not(:empty)'  # the name of who is signed in, as the server says
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}
# What a browser says of itself is no fault of the page.
IGNORED = ("Failed to load resource", "WebSocket connection", "websocket error", "net::ERR")


def launch(playwright: Playwright, console: ConsoleProcess) -> Browser:
    """Start the system's Chromium, or Playwright's own where there is none.

    Its ``localhost`` is the address of ``console``.
    """
    named = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else []
    system = next(filter(None, map(shutil.which, [*named, *NAMES])), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    mapping = f"--host-resolver-rules=MAP localhost {console.host}"
    return playwright.chromium.launch(executable_path=system, args=[*flags, mapping])


class People:
    """Opens browser contexts as the accounts of the console; signs each role in once."""

    def __init__(self, browser: Browser, console: ConsoleProcess) -> None:
        self.console = console
        self.problems: list[str] = []  # errors that pages wrote to their consoles
        self._browser = browser
        self._signed_in: dict[str, StorageState] = {}
        self._open: list[BrowserContext] = []

    def page(self, role: str = "", path: str = "", **options: Any) -> Page:
        """Open ``path`` in a context of its own, signed in as ``role`` ("": as nobody).

        Returns once the server has said who that is: what is typed before then is lost.
        """
        if role and role not in self._signed_in:
            self._signed_in[role] = self._sign_in(role)
        state = {"storage_state": self._signed_in[role]} if role else {}
        options = {"viewport": DESKTOP, "base_url": self.console.url} | state | options
        context = self._browser.new_context(**options)
        self._open.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        if path:
            page.goto(path)
        if path and role:
            page.wait_for_selector(KNOWN, state="attached")
        return page

    def close(self) -> None:
        """Close every context opened since the last time."""
        while self._open:
            self._open.pop().close()

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not any(part in text for part in IGNORED):
            self.problems.append(text)

    def _sign_in(self, role: str) -> StorageState:
        page = self.page()
        sign_in(page, f"{role}@example.com", PASSWORD)
        expect(page.get_by_role("heading", name="Checkpoints", level=1)).to_be_visible()
        return page.context.storage_state()


def sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the sign-in form and send it."""
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
