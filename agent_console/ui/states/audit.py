"""The audit page: the journal, filtered and paged by the address."""

from __future__ import annotations

from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.saved_queries import ME
from agent_console.ui import bridge
from agent_console.ui.audit_params import AuditParams
from agent_console.ui.audit_views import AuditRow, audit_row
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow


class Audit(LiveState, rx.State):
    """The entries on the screen and the filters they fit."""

    rows: list[AuditRow] = []
    action: str = ""
    actor: str = ""
    job: str = ""
    checkpoint: str = ""
    first_day: str = ""
    last_day: str = ""
    filtered: bool = False
    newest_href: str = ""
    older_href: str = ""

    @rx.event(background=True)
    @guarded(Permission.AUDIT_READ)
    async def watch(self) -> Any:
        """Follow the journal."""
        return await follow(self)

    @rx.event
    @guarded(Permission.AUDIT_READ)
    def search(self, form: dict[str, Any]) -> Any:
        """Put the filters of the form into the address."""
        names = ("action", "actor", "job", "checkpoint", "since", "until")
        typed = {name: str(form.get(name, "")) for name in names}
        before = self._params()
        # A day that was not touched stays the instant it stands for.
        if typed["since"] == before.first_day:
            typed["since"] = before.since
        if typed["until"] == before.last_day:
            typed["until"] = before.until
        return rx.redirect(AuditParams.parse(typed).url())

    def _params(self) -> AuditParams:
        return AuditParams.parse(self.router.url.query_parameters)

    def _ask(self, actor: Actor) -> Ask:
        params = self._params()
        personal = actor.id if params.actor == ME else ""
        return Ask(("audit", params, personal), lambda: _read(actor, params))

    def _show(self, answer: dict[str, Any]) -> None:
        self._put(**answer)


def _read(actor: Actor, params: AuditParams) -> dict[str, Any]:
    page = bridge.services().audit.page(actor, params.query(actor.id))
    return {
        "rows": [audit_row(entry, params) for entry in page.items],
        "action": params.action,
        "actor": params.actor,
        "job": params.job,
        "checkpoint": params.checkpoint,
        "first_day": params.first_day,
        "last_day": params.last_day,
        "filtered": params.filtered,
        "newest_href": params.url(cursor="") if params.cursor else "",
        "older_href": params.url(cursor=page.next_cursor) if page.next_cursor else "",
    }
