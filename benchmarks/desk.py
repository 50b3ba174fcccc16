"""How fast the desk is in a browser: ``python -m benchmarks.desk --pending 100000``.

Starts the console on SQLite with that many pending checkpoints and fifty connected reviewers, each
with an account of their own, and
prints what a reviewer in Chromium waits for: the first page, a card, a change made elsewhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path

from playwright.sync_api import Page, WebSocket, expect, sync_playwright
from simple_websocket import Client, ConnectionClosed

from agent_console.api.origins import cookie_name
from agent_console.bootstrap import build
from agent_console.domain.access import local_operator
from agent_console.settings import Settings
from agent_console.store import tally_mends
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from benchmarks.scale import CHECKPOINTS, JOBS
from tests.e2e.browser import People, launch
from tests.e2e.console import ConsoleProcess
from tests.e2e.make_accounts import PASSWORD
from tests.e2e.work import Work

DESK = "/admin/agent-checkpoints"
REVIEWERS, CARDS, CHANGES, LOADS = 50, 25, 25, 5
QUIET = 1.0  # seconds between two measurements
# Notes when what a selector finds, or the text it holds, is there: no polling is in a figure.
WATCH = """
window.until = (look) => new Promise((done) => {
    const there = () => {
        const found = look();
        if (!found) return false;
        requestAnimationFrame(() => done({ at: Date.now(), now: performance.now() }));
        return true;
    };
    if (there()) return;
    const seen = new MutationObserver(() => there() && seen.disconnect());
    seen.observe(document, {
        childList: true, subtree: true, characterData: true, attributes: true });
});
"""
INTERACTIVE = """() => window.until(() =>
    document.querySelector('[data-testid="me"]')?.textContent
    && document.querySelector('article[data-checkpoint]')).then(one => one.now)"""
SCRIPTS = """() => performance.getEntriesByType('resource')
    .filter(one => one.initiatorType === 'script' || one.name.endsWith('.js'))
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
OPEN = """(id) => {
    const row = document.querySelector(`.desk-list a[href*="${id}"]`);
    const began = performance.now();
    row.click();
    return window.until(() => document.querySelector(`article[data-checkpoint="${id}"]`))
        .then(one => one.now - began);
}"""
GONE = """(id) => { window.gone = window.until(() =>
    !document.querySelector(`.desk-list a[href*="${id}"]`)).then(one => one.at); }"""


def fill(url: str, pending: int) -> None:
    """Have ``pending`` jobs wait at a checkpoint, due long after those that are measured."""
    numbers = (
        "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n <"
        f" {pending}) SELECT n FROM s)"
    )
    names = {"done": 0, "pad": "printf('%032x', n)", "where": "WHERE", "numbers": numbers}
    db = Database(url)
    for sql in (JOBS, CHECKPOINTS) if pending else ():
        db.write(lambda tx, sql=sql: tx.execute(sql.format(**names)))
    tally_mends.mend(db)  # what is written past the journal is in no sum
    db.close()


def people(url: str, number: int) -> list[str]:
    """Make ``number`` reviewers; return their sessions' cookies."""
    with tempfile.TemporaryDirectory() as folder:
        console = build(Settings(database_url=url, data_dir=Path(folder)))
        console.open()
        access, me, name = console.services.access, local_operator("bench"), new_id("usr")
        for n in range(number):
            access.create_user(me, f"{name}-{n}@example.com", f"R {n}", "reviewer", PASSWORD)
        grants = [access.login(f"{name}-{n}@example.com", PASSWORD) for n in range(number)]
        settings = console.settings
        console.stop()
    return [f"{cookie_name(settings)}={grant.secret}" for grant in grants]


def crowd(address: str, cookies: list[str], hello: str, there: Barrier) -> None:
    """Be reviewers with ``cookies``, who have the desk open and take what is pushed to them."""

    def review(cookie: str) -> None:
        link = f"{address}/_event/?token={uuid.uuid4()}&EIO=4&transport=websocket"
        socket = Client.connect(link, headers={"Cookie": cookie, "Origin": ORIGIN[0]})
        socket.receive()
        socket.send(hello)
        socket.receive()
        ready.wait()
        try:
            while True:
                if socket.receive() == "2":
                    socket.send("3")
        except ConnectionClosed:
            return

    ready = threading.Barrier(len(cookies) + 1)
    for one in cookies:
        threading.Thread(target=review, args=(one,), daemon=True).start()
    ready.wait()
    there.wait()
    time.sleep(3600)  # until it is ended


ORIGIN = [""]


@contextmanager
def reviewers(page: Page, console: ConsoleProcess, cookies: list[str]) -> Iterator[None]:
    """Let others with ``cookies`` do what ``page`` does when it opens the desk."""
    said: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: said.append(str(frame)))

    page.on("websocket", listen)
    page.goto(DESK)
    expect(page.get_by_role("article")).to_be_visible()
    hello = next(frame for frame in said if frame.startswith("40/_event,"))
    there = multiprocessing.Barrier(2)
    ORIGIN[0] = console.url
    address = console.address.replace("http", "ws", 1)
    others = multiprocessing.get_context("fork").Process(
        target=crowd, args=(address, cookies, hello, there), daemon=True
    )
    others.start()
    there.wait(120)
    try:
        yield
    finally:
        others.kill()
        others.join()


def loads(browsers: People) -> dict[str, float]:
    """Return what the first page costs somebody whose browser has nothing of it yet."""
    times, kilobytes = [], 0.0
    for _ in range(LOADS):
        page = browsers.page("reviewer")
        page.add_init_script(WATCH)
        page.goto(DESK, wait_until="commit")
        page.wait_for_load_state("domcontentloaded")
        times.append(page.evaluate(INTERACTIVE))
        kilobytes = page.evaluate(SCRIPTS) / 1000
        page.context.close()
        time.sleep(QUIET)
    return {
        "first page: scripts, compressed kB": kilobytes,
        "first page: usable after, median ms": statistics.median(times),
    }


def cards(page: Page, ids: list[str]) -> dict[str, float]:
    """Return how long it takes from a click on a row to its card."""
    times = []
    for one in ids:
        times.append(page.evaluate(OPEN, one))
        time.sleep(QUIET / 4)
    return spread("open a card", times)


def changes(page: Page, work: Work, ids: list[str]) -> dict[str, float]:
    """Return how long after an approval elsewhere its row has left the list."""
    times = []
    for one in ids:
        page.evaluate(GONE, one)
        work.approve(one)
        committed = time.time() * 1000
        times.append(max(0.0, page.evaluate("() => window.gone") - committed))
        time.sleep(QUIET / 4)
    return spread("change elsewhere on the screen", times)


def spread(name: str, times: list[float]) -> dict[str, float]:
    p95 = statistics.quantiles(times, n=20)[18]
    return {f"{name}, median ms": statistics.median(times), f"{name}, p95 ms": p95}


def measure(console: ConsoleProcess, cookies: list[str]) -> dict[str, float]:
    with (
        console.api("operator") as operator,
        console.api("reviewer") as reviewer,
        sync_playwright() as playwright,
    ):
        work = Work(operator, reviewer)
        ids = asked(work, CARDS + CHANGES)
        browsers = People(launch(playwright, console), console)
        page = browsers.page("reviewer")
        page.add_init_script(WATCH)
        figures: dict[str, float] = {}
        with reviewers(page, console, cookies):
            figures |= loads(browsers)
            figures |= cards(page, shown(page)[1 : CARDS + 1])
            page.goto(f"{DESK}/{ids[-1]}")
            expect(page.get_by_role("article")).to_be_visible()
            figures |= changes(page, work, [one for one in shown(page) if one != ids[-1]][:CHANGES])
        browsers.close()
        return figures


def asked(work: Work, number: int) -> list[str]:
    """Return checkpoints that really ask to write a file, and are due first."""
    return [work.waiting(f"Measured {n}")[1] for n in range(number)]


def shown(page: Page) -> list[str]:
    """Return the checkpoints of the list, from the top."""
    rows = page.locator('.desk-list a[href*="/chk_"]')
    expect(rows.first).to_be_visible()
    links = rows.evaluate_all("all => all.map(one => one.href)")
    return [link.split("?")[0].rsplit("/", 1)[1] for link in links]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.desk", description=__doc__)
    options.add_argument("--pending", type=int, default=100, help="checkpoints that wait besides")
    options.add_argument("--reviewers", type=int, default=REVIEWERS)
    chosen = options.parse_args()
    write: Callable[[str], object] = sys.stdout.write
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/console.db"
        console = ConsoleProcess(Path(folder), DATABASE_URL=url)
        fill(url, chosen.pending)
        cookies = people(url, chosen.reviewers)
        console.start()
        try:
            figures = measure(console, cookies)
        finally:
            console.stop()
    write(f"\n{chosen.pending:,} pending, {chosen.reviewers} connected reviewers\n\n")
    write("| | |\n|---|---|\n")
    for name, value in figures.items():
        write(f"| {name} | {value:.0f} |\n")


if __name__ == "__main__":
    main()
