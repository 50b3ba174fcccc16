"""Notifications: subscriptions with their verbs, a new one, and the messages of one of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import reflex as rx

from agent_console.domain.access import Actor, Permission
from agent_console.domain.errors import FieldError, NotFound
from agent_console.domain.notifications import DeliveryQuery, DeliveryStatus, SubscriptionChange
from agent_console.ui import bridge
from agent_console.ui.bridge import Failure
from agent_console.ui.guard import guarded
from agent_console.ui.live import Ask, LiveState, follow
from agent_console.ui.notification_views import (
    PAGE,
    MessageRow,
    SubscriptionDraft,
    SubscriptionRow,
    draft,
    message_row,
    new_subscription,
    percents,
    subscription_change,
    subscription_row,
)
from agent_console.ui.params import MAX_CURSOR, PAGE_SIZE, address, text

OWN = Permission.NOTIFICATIONS_OWN


class Notifications(LiveState, rx.State):
    """What is on the screen. What is typed into the form is never kept here: it is a secret."""

    rows: list[SubscriptionRow] = []
    opened: str = ""  # the name of the subscription whose messages are shown
    messages: list[MessageRow] = []
    newest_href: str = ""
    older_href: str = ""
    may_share: bool = False
    schemes: str = ""
    draft: SubscriptionDraft = SubscriptionDraft()
    errors: dict[str, str] = {}
    form_key: str = "first"  # another one empties the form
    made_secret: str = ""  # told once
    _filled: str = ""  # the loop that has filled in the form

    @rx.event(background=True)
    @guarded(OWN)
    async def watch(self) -> Any:
        """Follow the subscriptions and the messages of the one that is open."""
        return await follow(self)

    @rx.event
    @guarded(OWN)
    async def save(self, form: dict[str, Any]) -> Any:
        """Subscribe, or change what is edited, or say which fields stand in the way."""
        wrong: list[FieldError] = []
        service, actor = bridge.services().notifications, await self._actor()
        edited = self.draft.id
        if edited:
            change = subscription_change(form, self.draft, wrong)
            call = partial(service.change, actor, edited, change)
        else:
            call = partial(service.create, actor, new_subscription(form, wrong))
        self._complain(wrong)
        if wrong:
            return None
        made = await bridge.call(call)
        if isinstance(made, Failure):
            self._complain(made.fields)
            if not made.fields:
                await self._tell(made.notice)
            return None
        self._put(form_key=bridge.request_id(), made_secret=made.secret or "")
        done = "It is changed" if edited else "You hear of it"
        await self._tell(bridge.note("success", f"{done}: {made.subscription.name}."))
        if edited:
            return rx.redirect(PAGE)
        await self._reread(actor)
        return None

    @rx.event
    @guarded(OWN)
    async def forget_secret(self) -> None:
        """Take the secret off the screen, for good."""
        self._put(made_secret="")

    @rx.event
    @guarded(OWN)
    async def test(self, subscription_id: str) -> None:
        """Send a message now."""
        actor = await self._actor()
        sent = await bridge.call(bridge.services().notifications.test, actor, subscription_id)
        if isinstance(sent, Failure):
            await self._tell(sent.notice)
            return
        if sent.status is DeliveryStatus.SENT:
            note = bridge.note("success", "The test has arrived.")
        else:
            note = bridge.note("error", f"The test did not arrive. {sent.attempts[-1].error}")
        await self._tell(note)
        await self._reread(actor)

    @rx.event
    @guarded(OWN)
    async def switch(self, subscription_id: str, on: bool) -> None:
        """Turn a subscription on or off."""
        change = SubscriptionChange(enabled=on)
        done = "It is told what happens from now on." if on else "It is told nothing more."
        await self._do("change", done, subscription_id, change)

    @rx.event
    @guarded(OWN)
    async def delete(self, subscription_id: str) -> None:
        """Delete a subscription with its messages."""
        await self._do("delete", "The subscription is deleted.", subscription_id)

    @rx.event
    @guarded(OWN)
    async def redeliver(self, delivery_id: str) -> None:
        """Send a message of the open subscription again."""
        opened = text(self.router.url.query_parameters, "subscription", 100)
        await self._do("redeliver", "It is sent again.", opened, delivery_id)

    async def _do(self, verb: str, done: str, *args: Any) -> None:
        actor = await self._actor()
        service = bridge.services().notifications
        result = await bridge.call(getattr(service, verb), actor, *args)
        if isinstance(result, Failure):
            await self._tell(result.notice)
            return
        await self._tell(bridge.note("success", done))
        await self._reread(actor)

    def _complain(self, wrong: Any) -> None:
        self._put(errors={one.field.partition(".")[0]: one.message for one in wrong})

    def _ask(self, actor: Actor) -> Ask:
        query = self.router.url.query_parameters
        opened = text(query, "subscription", 100)
        cursor = text(query, "cursor", MAX_CURSOR)
        edited = text(query, "edit", 100)
        self._put(
            may_share=actor.may(Permission.NOTIFICATIONS_MANAGE),
            schemes=", ".join(f"{one}://" for one in bridge.settings().notify_schemes),
        )
        key = ("notifications", opened, cursor, edited, actor.id)
        return Ask(key, lambda: _read(actor, opened, cursor, edited))

    def _show(self, answer: Any) -> None:
        if answer["draft"].id != self.draft.id:
            self._complain(())
        elif self.loaded and self._filled == self._loop:
            # What differs from what was filled in is the change: that holds still.
            answer = answer | {"draft": self.draft}
        elif answer["draft"] != self.draft:  # changed while nobody was here
            answer = answer | {"form_key": bridge.request_id()}
        self._filled = self._loop
        self._put(**answer)


def _read(actor: Actor, opened: str, cursor: str, edited: str) -> dict[str, object]:
    service = bridge.services().notifications
    found = service.page(actor)
    one = next((one for one in found if one.id == opened), None)
    kept = next((draft(one) for one in found if one.id == edited), None)
    shown: dict[str, object] = {
        "draft": kept or SubscriptionDraft(reminders=percents(bridge.settings().notify_percents)),
        "rows": [subscription_row(each, opened) for each in found],
        "opened": one.name if one else "",
        "messages": [],
        "newest_href": "",
        "older_href": "",
    }
    if one is None:
        return shown
    query = DeliveryQuery(limit=PAGE_SIZE, cursor=cursor or None)
    try:
        page = service.deliveries(actor, one.id, query)
    except NotFound:  # deleted in between
        return shown
    here = {"subscription": one.id}
    older = address(PAGE, {**here, "cursor": page.next_cursor}) if page.next_cursor else ""
    return shown | {
        "messages": [message_row(each, enabled=one.enabled) for each in page.items],
        "newest_href": address(PAGE, here) if cursor else "",
        "older_href": older,
    }
