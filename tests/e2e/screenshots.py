"""Take the pictures of the documentation from a console with work on its desk.

``python -m tests.e2e.screenshots [folder]``; the default folder is ``docs/images``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser import DESKTOP, PHONE, People, launch
from tests.e2e.console import ROOT, ConsoleProcess
from tests.e2e.work import ROWS, STEPS, Work, code

Mode = Literal["light", "dark"]

BEFORE = '''"""What customers pay."""

RATE = 0.19


def total(prices):
    return sum(prices) * (1 + RATE)
'''
AFTER = '''"""What customers pay."""

from decimal import Decimal

RATE = Decimal("0.19")


def total(prices: list[Decimal]) -> Decimal:
    """Return the sum of ``prices`` with tax, to the cent."""
    return (sum(prices, Decimal(0)) * (1 + RATE)).quantize(Decimal("0.01"))
'''


def set_the_scene(console: ConsoleProcess, work: Work) -> tuple[str, str]:
    """Put work on the desk; return the ids of a finished job and of the shown checkpoint."""
    (console.workspace / "shop").mkdir()
    (console.workspace / "shop" / "prices.py").write_text(BEFORE, "utf-8")
    done = work.enqueue("code-generation", code("shop/cart.py", "ITEMS = []\n"), "Start the cart")
    work.approve(work.open_checkpoint(done))
    work.finished(done)
    greeting = {"userId": "u-17", "action": "greet"}
    work.finished(work.enqueue("simple-task", greeting, "Welcome a customer"))
    refused = work.enqueue("code-generation", code("shop/ads.py", "X = 1\n"), "Add tracking")
    work.reject(work.open_checkpoint(refused), "We do not track our customers.")
    work.finished(refused)
    data = code("shop/prices.py", AFTER, "Count money in decimals, not floats")
    shown = work.open_checkpoint(work.enqueue("code-generation", data, "Exact prices"))
    rows = {"operation": "transform", "data": ROWS, "transform": STEPS}
    work.open_checkpoint(work.enqueue("data-processing", rows, "Tidy the price list"))
    work.open_checkpoint(
        work.enqueue("code-generation", code("shop/README.md", "# Shop\n"), "Say what it is")
    )
    return done, shown


def picture(page: Page, heading: str, wait_for: str, file: Path) -> None:
    """Wait until ``page`` shows its heading and the text ``wait_for``, then take it."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    expect(page.get_by_text(re.compile(wait_for)).first).to_be_visible()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled")
    print(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


def take_all(console: ConsoleProcess, people: People, folder: Path) -> None:
    """Take every picture in light and dark, and the desk on a phone."""
    with console.api("operator") as operator, console.api("reviewer") as reviewer:
        job, checkpoint = set_the_scene(console, Work(operator, reviewer))
    desk = f"/admin/agent-checkpoints/{checkpoint}"
    pages = {
        "desk": ("reviewer", desk, "Checkpoints", "shop/prices.py"),
        "jobs": ("operator", "/jobs", "Jobs", "Welcome a customer"),
        "job": ("operator", f"/jobs/{job}", "", "COMPLETED"),
        "new-job": ("operator", "/new?type=code-generation", "New job", "code-generation"),
        "workers": ("operator", "/workers", "Workers", "RUNNING"),
    }
    modes: tuple[Mode, ...] = ("light", "dark")
    for mode in modes:
        for name, (role, path, heading, text) in pages.items():
            page = people.page(role, path, color_scheme=mode, viewport=DESKTOP)
            picture(page, heading, text, folder / f"{name}-{mode}.png")
        page = people.page("", "/login", color_scheme=mode, viewport=DESKTOP)
        picture(page, "Sign in", "Password", folder / f"sign-in-{mode}.png")
        people.close()
    page = people.page("reviewer", desk, viewport=PHONE, device_scale_factor=2)
    picture(page, "Checkpoints", "shop/prices.py", folder / "desk-phone.png")
    people.close()


def main() -> None:
    """Start a console, take the pictures, stop it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=15_000)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        console = ConsoleProcess(Path(temporary) / "console")
        console.start()
        browser = launch(playwright)
        try:
            take_all(console, People(browser, console), folder)
        finally:
            browser.close()
            console.stop()


if __name__ == "__main__":
    main()
