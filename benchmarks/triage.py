"""A hundred mixed checkpoints, decided with the keyboard alone: ``python -m benchmarks.triage``.

Fifty of one kind that are approved together, ten mails that are corrected, ten files that are
rejected with a reason, thirty whose difference is looked at. Prints how many keys that took, text
apart, and how long the desk kept its reviewer waiting; nobody thinks in between.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browser import People, launch
from tests.e2e.console import ConsoleProcess
from tests.e2e.work import Work, code

DESK = "/admin/agent-checkpoints"
ROUTINE, EDITS, REJECTIONS, LOOKS = 50, 10, 10, 30
ALIKE = f"{DESK}?type=bench-ask"  # as a saved view or a bookmark opens it
FIXED = "Your order"
REASON = "Wrong folder."
HANDLERS = Path(__file__).with_name("jobs.py")


class Hands:
    """Presses keys on a page and counts them; waits are timed by what for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = self.typed = 0
        self.waits: list[float] = []

    def press(self, *keys: str) -> None:
        """Press ``keys``, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def type(self, text: str) -> None:
        """Write ``text`` where the focus is."""
        self.page.keyboard.insert_text(text)
        self.typed += len(text)

    def wait(self, until: Callable[[], object]) -> None:
        """Wait for what a key brings, as a person would."""
        began = time.monotonic()
        until()
        self.waits.append(time.monotonic() - began)


def stock(work: Work) -> None:
    """Let all of them wait, the kinds mixed."""
    kinds = [ROUTINE * ["routine"], EDITS * ["mail"], REJECTIONS * ["wrong"], LOOKS * ["look"]]
    mixed = sorted((n / len(kind), n, one) for kind in kinds for n, one in enumerate(kind))
    for _, number, kind in mixed:
        if kind == "routine":
            job = work.enqueue("bench-ask", {}, f"Routine {number}")
        elif kind == "mail":
            job = work.enqueue("bench-mail", {}, f"Mail {number}")
        else:
            content = "".join(f"line {n} of {kind}\n" for n in range(20))
            job = work.enqueue("code-generation", code(f"{kind}/{number}.txt", content, kind))
        work.open_checkpoint(job)


def together(hands: Hands) -> None:
    """Approve what is alike, a page at a time."""
    page, left = hands.page, ROUTINE
    page.goto(ALIKE)
    rows = page.locator('.desk-list a[href*="/chk_"]')
    bar, told = page.get_by_test_id("bulk-bar"), page.get_by_test_id("bulk-outcome")
    note = page.get_by_role("dialog").get_by_role("textbox")
    while left:
        expect(rows.first).to_be_visible()
        here = rows.count()
        hands.press("j", "x")
        hands.wait(lambda: expect(bar).to_be_visible())
        hands.press("*")
        hands.wait(partial(expect(bar.get_by_role("status")).to_have_text, f"{here} picked"))
        hands.press("Shift+A")
        hands.wait(lambda: expect(note).to_be_focused())
        hands.press("Control+Enter")
        hands.wait(partial(expect(told.get_by_role("status")).to_have_text, f"{here} approved"))
        hands.wait(lambda: expect(bar).to_have_count(0))
        left -= here


def one_by_one(hands: Hands, count: int) -> None:
    """Decide the card that is open, until none is left."""
    page = hands.page
    page.goto(DESK)
    card = page.get_by_role("article")
    for _ in range(count):
        expect(card).to_be_visible()
        shown = card.get_attribute("data-checkpoint")
        told = card.inner_text()
        if "Send a mail" in told:
            hands.press("e")
            subject = page.get_by_role("dialog").get_by_label("Subject")
            hands.wait(lambda subject=subject: expect(subject).to_be_focused())
            hands.press("Control+a")
            hands.type(FIXED)
            hands.press("Control+Enter")
        elif "wrong/" in told:
            hands.press("r")
            reason = page.get_by_role("dialog").get_by_role("textbox", name="Reason")
            hands.wait(lambda reason=reason: expect(reason).to_be_focused())
            hands.type(REASON)
            hands.press("Control+Enter")
        else:
            hands.press("a")
        gone = page.locator(f"article[data-checkpoint='{shown}']")
        hands.wait(lambda gone=gone: expect(gone).to_have_count(0))


def measure(console: ConsoleProcess) -> dict[str, float]:
    with (
        console.api("operator") as operator,
        console.api("reviewer") as reviewer,
        sync_playwright() as playwright,
    ):
        work = Work(operator, reviewer)
        stock(work)
        people = People(launch(playwright, console), console)
        hands = Hands(people.page("reviewer", DESK))
        began = time.monotonic()
        together(hands)
        of_bulk = hands.keys
        one_by_one(hands, EDITS + REJECTIONS + LOOKS)
        seconds = time.monotonic() - began
        people.close()
    total = ROUTINE + EDITS + REJECTIONS + LOOKS
    return {
        "checkpoints": total,
        "keys, all": hands.keys,
        "keys of those decided together": of_bulk,
        "keys per checkpoint": hands.keys / total,
        "letters typed (reasons, edits)": hands.typed,
        "seconds per checkpoint, the machine's": seconds / total,
        "wait after a key, median ms": statistics.median(hands.waits) * 1000,
        "wait after a key, p95 ms": statistics.quantiles(hands.waits, n=20)[18] * 1000,
    }


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.triage", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        console = ConsoleProcess(Path(folder), AGENT_CONSOLE_HANDLERS=str(HANDLERS))
        console.start()
        try:
            figures = measure(console)
        finally:
            console.stop()
    rows = [f"| {name} | {value:,.3g} |\n" for name, value in figures.items()]
    sys.stdout.write("".join(["\n| | |\n|---|---|\n", *rows]))


if __name__ == "__main__":
    main()
