"""Groups of reviewers, beneath the review policies: the list, and the dialog that changes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission, refusal
from agent_console.domain.review_policies import Person
from agent_console.domain.reviewer_groups import GroupChange, ReviewerGroup
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.policy_forms import Check
from agent_console.ui.views import shown

MEMBER = "member:"  # begins the name of a member's box in the form
LABELS = {"name": "Name", "note": "What it is for", "members": "Members"}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group; ``refusal`` says why the reader cannot change it."""

    id: str
    name: str
    note: str
    members: str
    refusal: str


@dataclass(frozen=True, slots=True)
class GroupForm:
    """The form as it opens; ``id`` is empty for a new group. ``key`` differs for each form."""

    key: str = ""
    id: str = ""
    name: str = ""
    note: str = ""
    members: list[Check] = field(default_factory=list)


class ReviewerGroups(LiveState, rx.State):
    """The groups on the screen, and the dialog."""

    rows: list[GroupRow] = []
    opened: bool = False
    form: GroupForm = GroupForm()
    wrong: str = ""
    refusal: str = "Loading."
    _groups: dict[str, ReviewerGroup] = {}
    _people: list[Person] = []
    _before: frozenset[str] = frozenset()  # who was in the group when its form opened

    @rx.event(background=True)
    @guarded(Permission.CHECKPOINTS_READ)
    async def watch(self) -> Any:
        """Follow the groups."""
        return await follow(self)

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    def edit(self, group_id: str) -> None:
        """Open the form of a group; of a new one where there is no such group."""
        group = self._groups.get(str(group_id))
        within = group.members if group else ()
        self._before = frozenset(one.id for one in within)
        named = {one.id: one for one in (*self._people, *within)}
        checks = [
            Check(f"{MEMBER}{one.id}", shown(one.name or one.id, 120), one.id in self._before)
            for one in named.values()
        ]
        key = f"{group.id} {group.updated_at.isoformat()}" if group else "new"
        self._put(opened=True, wrong="", form=_form(group, key, checks))

    @rx.event
    @guarded(Permission.CHECKPOINTS_READ)
    def turn(self, opened: bool) -> None:
        """Close the dialog."""
        if opened is not True:
            self._put(opened=False, wrong="")

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    async def save(self, form: dict[str, Any]) -> None:
        """Save what the form holds: a new group, or what differs from when it opened."""
        service, actor = bridge.services().groups, await self._actor()
        name, note = str(form.get("name") or ""), str(form.get("note") or "")
        ticked = _ticked(form)
        if self.form.id:
            change = GroupChange(
                name=name,
                note=note,
                add=tuple(sorted(ticked - self._before)),
                remove=tuple(sorted(self._before - ticked)),
            )
            done = await bridge.call(service.change, actor, self.form.id, change)
        else:
            done = await bridge.call(service.create, actor, name, sorted(ticked), note=note)
        await self._done(done, "saved: it holds from now on.")

    @rx.event
    @guarded(Permission.POLICIES_MANAGE)
    async def delete(self) -> None:
        """Delete the group of the dialog."""
        service, actor = bridge.services().groups, await self._actor()
        await self._done(await bridge.call(service.delete, actor, self.form.id), "deleted.")

    async def _done(self, done: ReviewerGroup | Failure, words: str) -> None:
        if isinstance(done, Failure):
            said = [
                f"{LABELS.get(one.field.split('.')[0], 'Members')}: {one.message}"
                for one in done.fields
            ]
            self._put(wrong=" ".join(said) or done.notice.text)
            return
        self._put(opened=False, wrong="")
        await self._tell(bridge.note("success", f"The group {shown(done.name, 120)} is {words}"))
        await self._reread(await self._actor())

    def _ask(self, actor: Actor) -> Ask:
        return Ask(("reviewer groups",), lambda: _read(actor))

    def _show(self, answer: tuple[list[ReviewerGroup], list[Person], str]) -> None:
        groups, self._people, why_not = answer
        self._groups = {one.id: one for one in groups}
        self._put(rows=[_row(one, why_not) for one in groups], refusal=why_not)


def _read(actor: Actor) -> tuple[list[ReviewerGroup], list[Person], str]:
    services, needed = bridge.services(), Permission.POLICIES_MANAGE
    may = actor.may(needed)
    people = services.policies.people(actor) if may else []
    return services.groups.page(actor), people, "" if may else refusal(needed)


def _form(group: ReviewerGroup | None, key: str, members: list[Check]) -> GroupForm:
    if group is None:
        return GroupForm(key=key, members=members)
    return GroupForm(key=key, id=group.id, name=group.name, note=group.note, members=members)


def _row(group: ReviewerGroup, refusal_: str) -> GroupRow:
    names = ", ".join(one.name or one.id for one in group.members)
    return GroupRow(
        id=group.id,
        name=shown(group.name, 120),
        note=shown(group.note, 500),
        members=shown(names, 600) or "nobody",
        refusal=refusal_,
    )


def _ticked(form: Mapping[str, Any]) -> frozenset[str]:
    boxes = (str(name) for name, value in form.items() if value not in {None, "", False, "false"})
    return frozenset(name.removeprefix(MEMBER) for name in boxes if name.startswith(MEMBER))
