"""Take the pictures of the README anew: ``python -m tests.e2e.screenshots [folder]``.

Starts a console of its own, gives it real work, and photographs every page in light and dark, on a
desktop, and the desk on a phone as well.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser import DESKTOP, PHONE, People, launch
from tests.e2e.console import ROOT, ConsoleProcess
from tests.e2e.work import Work

OLD = '''"""Invoices: totals and VAT."""

from decimal import Decimal


def total(lines):
    """Return the sum of all lines."""
    result = 0
    for line in lines:
        result += line.price * line.quantity
    return result


def vat(amount, rate=0.19):
    return amount * rate
'''
NEW = '''"""Invoices: totals and VAT."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

CENT = Decimal("0.01")


def total(lines: list[Line]) -> Decimal:
    """Return the sum of all lines, rounded to cents."""
    result = sum((line.price * line.quantity for line in lines), Decimal(0))
    return result.quantize(CENT, ROUND_HALF_EVEN)


def vat(amount: Decimal, rate: Decimal = Decimal("0.19")) -> Decimal:
    return (amount * rate).quantize(CENT, ROUND_HALF_EVEN)
'''
TEST = """from decimal import Decimal

from billing.invoice import vat


def test_vat_is_rounded_once() -> None:
    assert vat(Decimal("10.01")) == Decimal("1.90")
"""
CUSTOMERS = [
    {"customer": " ada lovelace ", "country": "gb", "price": 12.5, "quantity": 3},
    {"customer": "grace hopper", "country": "us", "price": 8, "quantity": 10},
    {"customer": "barbara liskov", "country": "us", "price": 121, "quantity": 2},
    {"customer": "Annie Easley", "country": "us", "price": 99.99, "quantity": 1},
]
CLEAN = {
    "steps": [
        {"op": "trim", "fields": ["customer"]},
        {"op": "titlecase", "fields": ["customer"]},
        {"op": "uppercase", "fields": ["country"]},
        {"op": "multiply", "field": "price", "by": {"field": "quantity"}, "into": "total"},
    ]
}


def main() -> None:
    """Write the pictures into ``docs/images`` or the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        console = ConsoleProcess(Path(data))
        console.start()
        try:
            _photograph(console, folder)
        finally:
            console.stop()


def _photograph(console: ConsoleProcess, folder: Path) -> None:
    places = _give_work(console)
    with sync_playwright() as playwright:
        browser = launch(playwright, console)
        people = People(browser, console)
        for scheme in ("light", "dark"):
            for size, suffix in ((DESKTOP, ""), (PHONE, "-phone")):
                page = people.page("admin", viewport=size, color_scheme=scheme)
                for place, path in places.items():
                    # Wide, the list stands beside its card; only a phone has it alone.
                    if place.startswith("desk") if suffix else place != "desk-list":
                        _shoot(page, path, folder / f"{place}-{scheme}{suffix}.png")
                people.close()
        browser.close()


def _shoot(page: Page, path: str, file: Path) -> None:
    page.goto(path)
    expect(page.get_by_test_id("me")).to_have_text("Ada Admin")
    expect(page.locator(".ac-bone")).to_have_count(0)
    if (example := page.get_by_role("button", name="Use example")).count():
        example.click()
        expect(page.get_by_label("Path").first).not_to_have_value("")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=file, animations="disabled")
    sys.stdout.write(f"{file}\n")


def _give_work(console: ConsoleProcess) -> dict[str, str]:
    """Leave one of everything behind and return the pages to look at."""
    (console.workspace / "billing").mkdir()
    (console.workspace / "billing" / "invoice.py").write_text(OLD, encoding="utf-8")
    files = [
        {"path": "billing/invoice.py", "content": NEW},
        {"path": "tests/test_invoice.py", "content": TEST},
    ]
    code = {"description": "Round amounts once, to cents, and test it.", "files": files}
    rows = {"operation": "transform", "data": CUSTOMERS, "transform": CLEAN}
    with console.api("operator") as operator, console.api("reviewer") as reviewer:
        work = Work(operator, reviewer)
        done = work.enqueue("data-processing", rows, "Clean the customers of February")
        work.approve(work.open_checkpoint(done))
        work.approve(work.open_checkpoint(done))
        work.finished(done)
        refused, open_refused = work.waiting("Add a scratch file")
        work.reject(open_refused, "Scratch files do not belong into the workspace.")
        work.finished(refused)
        for user in ("user-17", "user-42"):
            work.finished(
                work.enqueue("simple-task", {"userId": user, "action": "send-welcome-email"})
            )
        first = work.open_checkpoint(work.enqueue("code-generation", code, "Round invoices once"))
        cleaning = work.enqueue("data-processing", rows, "Clean the customers of March")
        work.approve(work.open_checkpoint(cleaning))
        second = work.open_checkpoint(cleaning)
    return {
        "desk-list": "/admin/agent-checkpoints",
        "desk": f"/admin/agent-checkpoints/{first}",
        "desk-rows": f"/admin/agent-checkpoints/{second}",
        "jobs": "/jobs",
        "job": f"/jobs/{done}",
        "new-job": "/new?type=code-generation",
        "workers": "/workers",
    }


if __name__ == "__main__":
    main()
