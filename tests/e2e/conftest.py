"""One console for all end-to-end tests of a process; every test begins with an empty desk.

Browser and console end with this package: while Playwright runs, its event loop does too, and
other tests could not run one of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e import scripted
from tests.e2e.answers import AGENTS, ANSWERS
from tests.e2e.browser import People, launch
from tests.e2e.console import NEVER_THERE, ConsoleProcess
from tests.e2e.work import Work
from tests.support.models import serving
from tests.support.receiver import Receiver, receiver

expect.set_options(timeout=15_000)


@pytest.fixture(scope="package")
def hook() -> Iterator[Receiver]:
    """Run what webhooks of the console may call."""
    with receiver() as made:
        yield made


@pytest.fixture(scope="package")
def console(tmp_path_factory: pytest.TempPathFactory, hook: Receiver) -> Iterator[ConsoleProcess]:
    """Run the console the way its users do."""
    folder = tmp_path_factory.mktemp("console")
    with serving(folder) as serve:
        process = ConsoleProcess(
            folder,
            AGENT_CONSOLE_AGENTS=str(AGENTS),
            AGENT_CONSOLE_HANDLERS=scripted.__file__,
            AGENT_CONSOLE_HTTP_ALLOW=f"{NEVER_THERE},{hook.origin}",
            AGENT_CONSOLE_AGENT_BASE_URL=serve(*ANSWERS).base_url(),
        )
        process.start()
        yield process
        process.stop()


@pytest.fixture(autouse=True)
def served(console: ConsoleProcess) -> None:
    """Let every test begin with a console that serves."""
    console.revive()


@pytest.fixture(scope="package")
def everybody(console: ConsoleProcess) -> Iterator[People]:
    """Run the browser."""
    with sync_playwright() as playwright:
        browser = launch(playwright, console)
        yield People(browser, console)
        browser.close()


@pytest.fixture
def people(everybody: People) -> Iterator[People]:
    """Open pages as somebody; a page that wrote an error fails the test."""
    everybody.problems.clear()
    yield everybody
    everybody.close()
    assert everybody.problems == []


@pytest.fixture
def work(console: ConsoleProcess) -> Iterator[Work]:
    """Give work through REST, starting from an empty desk."""
    with console.api("operator") as operator, console.api("reviewer") as reviewer:
        work = Work(operator, reviewer)
        work.clear_desk()
        yield work
