"""The saved views above a list: shown, saved, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.saved_queries import NewSavedQuery, Resource
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import GuardedState, guarded
from agent_console.ui.saved_views import SavedView, filters_of, resource_of, saved_view


class SavedViews(GuardedState, rx.State):
    """The views of the list on the screen. ``refused`` says why the last one was not saved."""

    views: list[SavedView] = []
    opened: bool = False
    refused: str = ""
    can_save: bool = False

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def load(self) -> None:
        """Show the views of the list in the address."""
        self._put(opened=False, refused="")
        await self._reload(await self._actor())

    @rx.event
    @guarded(Permission.JOBS_READ)
    def turn(self, opened: bool) -> None:
        """Open or close the dialog."""
        self._put(opened=opened is True, refused="")

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def save(self, form: dict[str, Any]) -> None:
        """Keep the filters in the address under the name in the form."""
        resource, query = self._place()
        if resource is None:
            return
        new = NewSavedQuery(
            name=str(form.get("name", "")),
            resource=resource.value,
            query=dict(filters_of(resource, query)),
            shared=bool(form.get("shared")),
        )
        actor = await self._actor()
        made = await bridge.call(bridge.services().saved_queries.create, actor, new)
        if isinstance(made, Failure):
            self._put(refused=made.notice.text)
            return
        self._put(opened=False, refused="")
        await self._tell(bridge.note("success", f"Saved: {made.name}"))
        await self._reload(actor)

    @rx.event
    @guarded(Permission.JOBS_READ)
    async def delete(self, query_id: str) -> None:
        """Delete a view."""
        actor = await self._actor()
        gone = await bridge.call(bridge.services().saved_queries.delete, actor, str(query_id))
        if isinstance(gone, Failure):
            self._put(refused=gone.notice.text)
        await self._reload(actor)

    def _place(self) -> tuple[Resource | None, Mapping[str, str]]:
        return resource_of(self.router.url.path), self.router.url.query_parameters

    async def _reload(self, actor: Actor) -> None:
        resource, query = self._place()
        if resource is None:
            self._put(views=[], can_save=False)
            return
        page = bridge.services().saved_queries.page
        found = await bridge.call(page, actor, resource.value)
        if isinstance(found, Failure):
            await self._tell(found.notice)
            return
        self._put(
            views=[saved_view(one, actor, query) for one in found],
            can_save=bool(filters_of(resource, query)),
        )
