"""The job page shows what the job writes, keeps it still, and lets go of it at the end."""

from __future__ import annotations

from agent_console.store import previews
from agent_console.store.claims import claim
from agent_console.store.finishes import finish
from agent_console.ui.states.job import JobPage
from tests.support.runs import end
from tests.ui.conftest import Browser, Console, run


def test_live_text_grows_pauses_and_goes(console: Console) -> None:
    cookie = console.sign_in("viewer")
    job = console.job(task_description="Write about Ada")
    (claimed,) = claim(console.db, "w1", 1)

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{job}") as browser:
            wire = browser.wire

            def told(text: str, *, writing: bool) -> bool:
                return (wire.value(JobPage, "live"), wire.value(JobPage, "writing")) == (
                    text,
                    writing,
                )

            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: wire.value(JobPage, "loaded"))
            assert not wire.value(JobPage, "live")
            assert wire.value(JobPage, "limits") == "At most 30 s"
            for text in ("Ada wr", "Ada wrote the first <b>program</b>.\n"):
                previews.show(console.db, claimed.key, text)
                console.services.feed.publish()
                await browser.until(lambda text=text: told(text, writing=True))
            previews.remove(console.db, claimed.key)
            console.services.feed.publish()
            await browser.until(lambda: told(text, writing=False))
            previews.show(console.db, claimed.key, "\u202ehidden")
            console.services.feed.publish()
            await browser.until(lambda: told("⟨U+202E⟩hidden", writing=True))
            finish(console.db, [end(claimed.key)])
            await browser.until(lambda: told("", writing=False))

    run(look())


def test_it_is_of_this_job_only(console: Console) -> None:
    cookie = console.sign_in("viewer")
    first, second = console.job(), console.job()
    for claimed in claim(console.db, "w1", 2):
        if claimed.key.job_id == first:
            previews.show(console.db, claimed.key, "of the first")

    async def look() -> None:
        async with Browser(cookie, f"/jobs/{first}") as browser:
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "live") == "of the first")
            browser.path = f"/jobs/{second}"
            await browser.send(JobPage.watch, wait=False)
            await browser.until(lambda: browser.wire.value(JobPage, "job").id == second)
            assert browser.wire.value(JobPage, "live") == ""

    run(look())
