"""Who is signed in, what waits for them, and the notices they have not read."""

from __future__ import annotations

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.ui.bridge import Notice

MAX_NOTICES = 4  # older ones give way
OUTAGE = "The database does not answer. What you see may be out of date; trying again…"
_NOTHING = {permission.value: False for permission in Permission}


class Session(rx.State):
    """The person behind this browser, as the gate last saw them; never proof of anything."""

    user_id: str = ""
    name: str = ""
    role: str = ""
    may: dict[str, bool] = _NOTHING
    pending: int = -1  # nobody has counted yet
    notices: list[Notice] = []
    outage: str = ""  # why what is on the screen may be out of date

    def _become(self, actor: Actor | None) -> None:
        """Take over who the gate recognised; None for nobody."""
        may = {p.value: bool(actor and actor.may(p)) for p in Permission}
        values = {
            "user_id": (actor.id if actor else None) or "",
            "name": actor.name if actor else "",
            "role": actor.role.value if actor and actor.role else "",
            "may": may,
        }
        for field, value in values.items():
            if getattr(self, field) != value:
                setattr(self, field, value)

    def _notify(self, notice: Notice) -> None:
        """Show ``notice``; the oldest beyond the limit goes."""
        self.notices = [*self.notices, notice][-MAX_NOTICES:]

    def _dismiss(self, notice_id: str) -> None:
        self.notices = [one for one in self.notices if one.id != notice_id]
