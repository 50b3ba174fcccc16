"""Notifications: own subscriptions and shared ones, their tests, and what became of messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.destinations import AllowedHost, allowed_host
from agent_console.domain.errors import Conflict, Invalid, Misconfigured, NotFound
from agent_console.domain.notifications import (
    MAX_DIGEST,
    TEST,
    Delivery,
    DeliveryQuery,
    NewSubscription,
    Sending,
    Subscription,
    SubscriptionChange,
    Topic,
    Way,
)
from agent_console.domain.queries import known
from agent_console.domain.records import Page
from agent_console.services import job_requests
from agent_console.services.notification_messages import test_body
from agent_console.services.notification_sending import Dispatcher
from agent_console.services.notification_targets import Target, new_secret, webhook
from agent_console.services.saved_queries import checked_name
from agent_console.settings import Settings
from agent_console.store import deliveries, notifications, outbox
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.notifications import Content
from agent_console.store.outbox import NewDelivery
from agent_console.store.transactions import Tx

MAX_TYPES = 50
MAX_REMINDERS = 10


@dataclass(frozen=True, slots=True)
class Made:
    """A subscription; ``secret`` is the one that was made for it, told this once."""

    subscription: Subscription
    secret: str | None = field(default=None, repr=False)


class NotificationService:
    """Use cases of notifications. A target is taken in, and never given out again."""

    def __init__(self, db: Database, settings: Settings, dispatcher: Dispatcher) -> None:
        """Work on ``db``; tests are sent through ``dispatcher``."""
        self._db, self._settings, self._dispatcher = db, settings, dispatcher

    def page(self, actor: Actor) -> list[Subscription]:
        """Return the actor's subscriptions and, to who manages them, the shared ones."""
        authorize(actor, Permission.NOTIFICATIONS_OWN)
        shared = actor.may(Permission.NOTIFICATIONS_MANAGE)
        with self._db.read() as reader:
            return notifications.visible(reader, actor.id, shared=shared)

    def get(self, actor: Actor, subscription_id: str) -> Subscription:
        """Return one of the actor's subscriptions, or a shared one to who manages them.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        authorize(actor, Permission.NOTIFICATIONS_OWN)
        with self._db.read() as reader:
            found = notifications.get(reader, subscription_id)
        mine = found is not None and actor.id is not None and found.owner_id == actor.id
        theirs = found is not None and found.shared and actor.may(Permission.NOTIFICATIONS_MANAGE)
        if found is None or not (mine or theirs):
            raise NotFound(f"There is no subscription {subscription_id}.")
        return found

    def create(self, actor: Actor, new: NewSubscription) -> Made:
        """Subscribe; messages are about what happens from now on.

        Raises:
            Invalid: a field is not acceptable; a refused target is not repeated.
            Forbidden: shared ones are for who manages them.
            Conflict: there are as many as there may be, or the keystore cannot be used.
        """
        authorize(actor, Permission.NOTIFICATIONS_OWN)
        if new.shared:
            authorize(actor, Permission.NOTIFICATIONS_MANAGE)
        elif actor.id is None:
            raise Invalid.field("shared", "a command has no account: make it a shared one.")
        way = known(Way, new.way, "way")
        if way is None:
            raise Invalid.field("way", "is required.")
        secret = new.secret or (new_secret() if way is Way.WEBHOOK else None)
        subscription_id = new_id("sub")
        target, shown = self._target(way, subscription_id, new.target, secret)
        reminders = self._settings.notify_percents if new.reminders is None else new.reminders
        said = _checked(
            Content(
                name=new.name,
                target=target,
                shown=shown,
                topics=new.topics,
                job_types=new.job_types,
                decidable=new.decidable,
                reminders=reminders,
                digest_minutes=new.digest_minutes,
            ),
            shared=new.shared,
        )
        made = self._db.write(
            lambda tx: notifications.create(
                tx, subscription_id, way, said, shared=new.shared, actor=actor
            )
        )
        return Made(made, None if new.secret else secret)

    def change(self, actor: Actor, subscription_id: str, change: SubscriptionChange) -> Made:
        """Change what is given; turned on again, it hears of what happens from then on.

        Raises:
            NotFound: there is none, or it is somebody else's.
            Invalid: a field is not acceptable.
            Conflict: the keystore cannot be used.
        """
        new_target = self._changed_target(self.get(actor, subscription_id), change)

        def work(tx: Tx) -> Subscription:
            self._change(tx, subscription_id, change, new_target, actor)
            return notifications.found(tx, subscription_id)

        made = None if change.secret or new_target is None else new_target.made
        return Made(self._db.write(work), made)

    def delete(self, actor: Actor, subscription_id: str) -> None:
        """Delete a subscription with its messages.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        self.get(actor, subscription_id)
        self._db.write(lambda tx: notifications.delete(tx, subscription_id, actor))

    def test(self, actor: Actor, subscription_id: str) -> Delivery:
        """Send a message now, once, and return what became of it.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        one = self.get(actor, subscription_id)
        sending = self._db.write(lambda tx: self._put_test(tx, one))
        self._dispatcher.send(sending, retry=False)
        with self._db.read() as reader:
            return deliveries.found(reader, subscription_id, sending.id)

    def deliveries(
        self, actor: Actor, subscription_id: str, query: DeliveryQuery
    ) -> Page[Delivery]:
        """Return one page of a subscription's messages, newest first.

        Raises:
            NotFound: there is none, or it is somebody else's.
            Invalid: the page is not acceptable.
        """
        query.check()
        self.get(actor, subscription_id)
        with self._db.read() as reader:
            return deliveries.page(reader, subscription_id, query)

    def redeliver(self, actor: Actor, subscription_id: str, delivery_id: str) -> Delivery:
        """Send a message once more, under its id, with as many tries as a new one.

        Raises:
            NotFound: there is none.
            Conflict: it is on its way anyway, or its subscription is turned off.
        """
        one = self.get(actor, subscription_id)
        if not one.enabled:
            raise Conflict("This subscription is turned off; turn it on first.")
        return self._db.write(lambda tx: deliveries.again(tx, subscription_id, delivery_id, actor))

    def _change(
        self,
        tx: Tx,
        subscription_id: str,
        change: SubscriptionChange,
        to: _NewTarget | None,
        actor: Actor,
    ) -> None:
        kept = notifications.target(tx, subscription_id)
        if kept is None:
            raise NotFound(f"There is no subscription {subscription_id}.")
        # As it is now: of two who change different fields, neither undoes the other's.
        before = notifications.found(tx, subscription_id)
        now = Content(
            name=before.name,
            target=kept[1],
            shown=before.shown,
            topics=before.topics,
            job_types=before.job_types,
            decidable=before.decidable,
            reminders=before.reminders,
            digest_minutes=before.digest_minutes,
        )
        names = ("name", "topics", "job_types", "decidable", "reminders", "digest_minutes")
        given = {n: v for n in names if (v := getattr(change, n)) is not None}
        if to is not None:
            given |= {"target": to.ciphertext, "shown": to.shown}
        said = _checked(replace(now, **given), shared=before.shared)
        changed = [n for n in (*names, "target") if getattr(said, n) != getattr(now, n)]
        if changed:
            notifications.change(tx, before.id, said, actor, changed)
        if change.enabled is True:
            notifications.enable(tx, before.id, actor)
        elif change.enabled is False:
            notifications.disable(tx, before.id, actor)

    def _changed_target(
        self, before: Subscription, change: SubscriptionChange
    ) -> _NewTarget | None:
        """Return the new target, where target or secret change; what is not given stays."""
        if change.target is None and change.secret is None:
            return None
        with self._db.read() as reader:
            kept = notifications.target(reader, before.id)
        try:
            old = Target.opened(self._dispatcher.vault, before.id, kept[1] if kept else "")
        except Misconfigured as error:
            if change.target is None:  # the secret alone, of an address that cannot be read
                raise Conflict(error.message) from None
            old = Target("", "")
        kept_secret = change.secret or old.secret or None
        made = new_secret() if before.way is Way.WEBHOOK and kept_secret is None else None
        secret = kept_secret or made
        closed, shown = self._target(before.way, before.id, change.target or old.url, secret)
        return _NewTarget(closed, shown, made)

    def _target(
        self, way: Way, subscription_id: str, url: str, secret: str | None
    ) -> tuple[str, str]:
        """Return the target encrypted, and what may be shown of it."""
        if way is Way.WEBHOOK:
            shown = webhook(url, secret or "", self._allowed)
        elif secret:
            raise Invalid.field("secret", "belongs to webhooks.")
        else:
            shown = self._dispatcher.apprise.check(url)
        try:
            closed = Target(url, secret or "").closed(self._dispatcher.vault, subscription_id)
        except Misconfigured as error:
            raise Conflict(
                f"The target cannot be kept secret: {error.message} "
                f"({self._dispatcher.vault.name} is the secret it takes.)"
            ) from None
        return closed, shown

    @property
    def _allowed(self) -> tuple[AllowedHost, ...]:
        return tuple(allowed_host(entry) for entry in self._settings.http_allow)

    def _put_test(self, tx: Tx, one: Subscription) -> Sending:
        """Put a message into the outbox that this very call sends."""
        delivery_id = new_id("msg")
        body = test_body(tx.now(), one.name, self._settings.origin)
        outbox.put(
            tx,
            NewDelivery(
                id=delivery_id,
                subscription_id=one.id,
                event_key=f"test:{delivery_id}",
                topic=TEST,
                body=body,
                due_at=tx.now() + int(self._dispatcher.lease * 1_000_000),
                attempts=1,
            ),
        )
        return Sending(
            id=delivery_id,
            subscription_id=one.id,
            topic=TEST,
            checkpoint_id=None,
            body=body,
            number=1,
            tries=1,
        )


@dataclass(frozen=True, slots=True)
class _NewTarget:
    ciphertext: str
    shown: str
    made: str | None = field(repr=False)


def _checked(said: Content, *, shared: bool) -> Content:
    """Return what was said, in order and without repetitions.

    Raises:
        Invalid: a field is not acceptable.
    """
    if shared and said.decidable:
        raise Invalid.field("decidable", "is for own subscriptions: a shared one decides nothing.")
    if not 0 <= said.digest_minutes <= MAX_DIGEST:
        raise Invalid.field(
            "digestMinutes", f"must be 0, for at once, or at most {MAX_DIGEST} minutes."
        )
    topics = _in_order(said.topics)
    for one in topics:
        known(Topic, one, "topics")
    if not topics:
        raise Invalid.field("topics", "must name one at least.")
    return replace(
        said,
        name=checked_name(said.name),
        topics=topics,
        job_types=_job_types(said.job_types),
        reminders=_reminders(said.reminders),
    )


def _job_types(given: Sequence[str]) -> tuple[str, ...]:
    job_types = _in_order(one.strip() for one in given)
    if len(job_types) > MAX_TYPES:
        raise Invalid.field("jobTypes", f"must be at most {MAX_TYPES}.")
    for one in job_types:
        job_requests.text("jobTypes", one, job_requests.MAX_NAME)
        if not one.isprintable() or not one:
            raise Invalid.field("jobTypes", "must be names of job types.")
    return job_types


def _reminders(given: Sequence[int]) -> tuple[int, ...]:
    if len(given) > MAX_REMINDERS or not all(1 <= one <= 99 for one in given):
        raise Invalid.field(
            "reminders", f"must be at most {MAX_REMINDERS} percents between 1 and 99."
        )
    return tuple(sorted(set(given), reverse=True))


def _in_order(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in given))
