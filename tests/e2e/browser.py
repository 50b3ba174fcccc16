"""Browsers of signed-in people."""

from __future__ import annotations

import os
import shutil
from typing import Any, Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    ViewportSize,
    expect,
)

from tests.e2e.console import ConsoleProcess
from tests.e2e.make_accounts import PASSWORD

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
KNOWN = '[data-testid="me"]:not(:empty)'  # the name of who is signed in, as the server says
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 812}
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
    """Opens pages as the accounts of the console; signs each role in once.

    Whoever opens a page is alone in a browser context, whose cookies and storage are emptied
    first. Contexts are used again: a new one fetches and compiles every script anew, which is
    more work than all else that a page does until it is there.
    """

    def __init__(self, browser: Browser, console: ConsoleProcess) -> None:
        self.console = console
        self.problems: list[str] = []  # errors that pages wrote to their consoles
        self._browser = browser
        self._signed_in: dict[str, list[Any]] = {}
        self._contexts: list[BrowserContext] = []

    def of(self, console: ConsoleProcess) -> People:
        """Return the accounts of another console, which took the place of this one."""
        others = People(self._browser, console)
        others._contexts = self._contexts
        return others

    def page(
        self,
        role: str = "",
        path: str = "",
        viewport: ViewportSize = DESKTOP,
        color_scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        """Open ``path`` in a context of its own, signed in as ``role`` ("": as nobody).

        Returns once the server has said who that is: what is typed before then is lost.
        """
        if role and role not in self._signed_in:
            self._signed_in[role] = self._sign_in(role)
        page = self._blank()
        page.context.add_cookies(self._signed_in.get(role, []))
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.on("console", lambda said: self._note(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        if path:
            page.goto(path)
        if path and role:
            page.wait_for_selector(KNOWN, state="attached")
        return page

    def close(self) -> None:
        """Close every page opened since the last time."""
        for context in self._contexts:
            for page in context.pages:
                page.close()

    def _blank(self) -> Page:
        """Return a page in a context that has no other and remembers nothing but scripts."""
        context = next((one for one in self._contexts if not one.pages), None)
        if context is None:
            context = self._browser.new_context(viewport=DESKTOP, base_url=self.console.url)
            context.on("close", self._forget)
            self._contexts.append(context)
        page = context.new_page()
        session = context.new_cdp_session(page)
        everything = {"origin": self.console.url, "storageTypes": "all"}  # cookies as well
        session.send("Storage.clearDataForOrigin", everything)
        session.detach()
        return page

    def _forget(self, context: BrowserContext) -> None:
        self._contexts.remove(context)

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and not any(part in text for part in IGNORED):
            self.problems.append(text)

    def _sign_in(self, role: str) -> list[Any]:
        page = self.page()
        sign_in(page, f"{role}@example.com", PASSWORD)
        expect(page.get_by_role("heading", name="Checkpoints", level=1)).to_be_visible()
        cookies = page.context.cookies()
        page.close()
        return cookies


def sign_in(page: Page, email: str, password: str) -> None:
    """Fill in the sign-in form and send it."""
    page.goto("/login")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
