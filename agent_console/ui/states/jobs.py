"""The jobs list: tabs, search, and a page of rows, all from the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.jobs import JobStatus, JobSummary
from agent_console.domain.queries import JobQuery
from agent_console.domain.records import Page
from agent_console.ui import bridge
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.params import MAX_TEXT, PAGE_SIZE, JobsParams
from agent_console.ui.views import JobRow, Tab


class Jobs(LiveState, rx.State):
    """The rows on the screen and how many there are of each status."""

    rows: list[JobRow] = []
    tabs: list[Tab] = []
    q: str = ""
    status: str = ""
    total: str = ""
    newest_href: str = ""
    older_href: str = ""
    clear_href: str = ""
    filtered: bool = False
    any_jobs: bool = False

    @rx.event(background=True)
    @guarded(Permission.JOBS_READ)
    async def watch(self) -> Any:
        """Follow the list."""
        return await follow(self)

    @rx.event
    @guarded(Permission.JOBS_READ)
    def search(self, form: dict[str, Any]) -> Any:
        """Put the typed search into the address."""
        text = str(form.get("q", "")).strip()[:MAX_TEXT]
        return rx.redirect(self._params().url(q=text, cursor=""))

    def _params(self) -> JobsParams:
        return JobsParams.parse(self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        personal = actor.id if "user:me" in params.q.lower() else ""
        return Ask(("jobs", params, personal), lambda: _read(actor, params))

    def _show(self, answer: Any) -> None:
        self._put(**answer)


def query(actor: Actor, params: JobsParams) -> JobQuery:
    """Return what the store is asked for; a typed ``status:`` wins over the tab."""
    typed, text = params.terms()
    status = typed.get("status", "").upper() or params.status
    user = typed.get("user")
    return JobQuery(
        status=status or None,
        job_type=typed.get("type"),
        user_id=actor.id if user and user.lower() == "me" else user,
        search=typed.get("id") or text,
        limit=PAGE_SIZE,
        cursor=params.cursor or None,
    )


def _read(actor: Actor, params: JobsParams) -> dict[str, object]:
    jobs = bridge.services().jobs
    page = jobs.page(actor, query(actor, params))
    counts = jobs.counts(actor)
    return {
        "rows": [JobRow.of(job) for job in page.items],
        "tabs": tabs(params, counts),
        "q": params.q,
        "status": params.status,
        "total": _total(page),
        "newest_href": params.url(cursor="") if params.cursor else "",
        "older_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
        "clear_href": JobsParams().url(),
        "filtered": bool(params.q or params.status),
        "any_jobs": any(counts.values()),
    }


def _total(page: Page[JobSummary]) -> str:
    if page.total is None:
        return ""
    number = f"{page.total:,}{'+' if page.total_capped else ''}"
    return f"{number} job" if page.total == 1 else f"{number} jobs"


def tabs(params: JobsParams, counts: Mapping[JobStatus, int]) -> list[Tab]:
    """Return a tab for all and one per status, each keeping the search."""
    everything = sum(counts.values())
    entries = [("", "All", everything)]
    entries += [(status.value, status.value, counts.get(status, 0)) for status in JobStatus]
    return [
        Tab(label, params.url(status=value, cursor=""), f"{count:,}", params.status == value)
        for value, label, count in entries
    ]
