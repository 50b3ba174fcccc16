"""From what happened to messages in the outbox, in whichever process comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent_console.domain.access import Actor, Role
from agent_console.domain.clock import MICROSECONDS, to_micros
from agent_console.domain.notifications import Subscription, Topic
from agent_console.domain.records import User
from agent_console.domain.review_policies import PolicyBook, SelfApproval
from agent_console.services.notification_messages import body_of
from agent_console.services.review_policy import (
    DECIDERS,
    asked_refusal,
    self_approval_refusal,
)
from agent_console.store import digests, notifications, outbox, review_policies
from agent_console.store.accounts import find
from agent_console.store.database import Database
from agent_console.store.ids import new_id
from agent_console.store.outbox import Facts, NewDelivery, News, Outlook
from agent_console.store.rows import action_of
from agent_console.store.seals import Horizon
from agent_console.store.transactions import Queries, Tx

BATCH = 500  # entries that one transaction tells of
FAR = 1_000  # entries without news behind which the cursor is moved all the same
LOOK_EVERY = 5.0  # seconds between looks at what wants reminding


class NewsFeed:
    """Fills the outbox. Used by one thread at a time; safe in all processes at once."""

    def __init__(self, db: Database, *, origin: str, policy: SelfApproval) -> None:
        """Tell what the journal of ``db`` holds, with links to ``origin``."""
        self._db, self._origin, self._policy = db, origin, policy
        self._horizon = Horizon(db)
        self._scanned = 0  # up to where this process found nothing to tell

    def collect(self) -> int:
        """Put into the outbox what is to be told by now; return how many messages.

        Raises:
            Unavailable: the database is out of reach; what was put there until then is.
        """
        with self._db.read() as reader:
            view = outbox.outlook(reader)
        if not view.enabled:
            return 0
        return self._from_journal(view) + self._reminders(view)

    def seconds_to_next(self) -> float | None:
        """Return the seconds until there may be something to tell or to send; None: not soon.

        Raises:
            Unavailable: the database is out of reach.
        """
        with self._db.read() as reader:
            view = outbox.outlook(reader)
        waits = [] if view.due is None else [max(0.0, (view.due - view.now) / MICROSECONDS)]
        if view.enabled:
            waits.append(0.0 if self._is_ahead(view) else LOOK_EVERY)
        return min(waits, default=None)

    def _is_ahead(self, view: Outlook) -> bool:
        return view.newest > max(view.seq, self._scanned)

    def _from_journal(self, view: Outlook) -> int:
        if not self._is_ahead(view):
            return 0
        upto = self._horizon.reach(view.newest)
        if upto is None:
            return 0
        with self._db.read() as reader:
            waiting = outbox.entries(reader, after=view.seq, upto=upto, limit=1)
        if not waiting and upto - view.seq < FAR:
            self._scanned = max(self._scanned, upto)
            return 0
        return self._db.write(lambda tx: self._tell_entries(tx, upto))

    def _tell_entries(self, tx: Tx, upto: int) -> int:
        seq, _ = outbox.locked(tx)
        found = outbox.entries(tx, after=seq, upto=upto, limit=BATCH)
        outbox.advance(tx, seq=max(seq, upto if len(found) < BATCH else found[-1][0]))
        return self._tell(tx, filter(None, map(outbox.news, found)))

    def _reminders(self, view: Outlook) -> int:
        with self._db.read() as reader:
            percents = _percents(notifications.enabled(reader))
            if not any(outbox.reminders(reader, one, view.reminded_until) for one in percents):
                return 0
        return self._db.write(self._remind)

    def _remind(self, tx: Tx) -> int:
        _, since = outbox.locked(tx)
        percents = _percents(notifications.enabled(tx))
        due = [news for percent in percents for news in outbox.reminders(tx, percent, since)]
        outbox.advance(tx, reminded_until=max(since, tx.now()))
        return self._tell(tx, due)

    def _tell(self, tx: Tx, told: Iterable[News]) -> int:
        listed = list(told)
        known = outbox.facts(tx, sorted({news.checkpoint_id for news in listed}))
        book = review_policies.book(tx, [one.job_type for one in known.values()])
        audience = _Audience(tx, notifications.enabled(tx), self._policy, book)
        made = 0
        for news in listed:
            facts = known.get(news.checkpoint_id)
            if facts is None:  # deleted meanwhile
                continue
            addressees = audience.of(news, facts)
            body = body_of(news, facts, self._origin) if addressees else ""
            made += sum(_put(tx, one, news, facts, body) for one in addressees)
        if made:
            tx.touch("")
        return made


class _Audience:
    """Who is told, within one transaction: each account is looked up once."""

    def __init__(
        self,
        tx: Queries,
        subscriptions: Sequence[Subscription],
        setting: SelfApproval,
        book: PolicyBook,
    ) -> None:
        self._tx, self._setting, self._book = tx, setting, book
        self._subscriptions = subscriptions
        self._owners: dict[str, User | None] = {}

    def of(self, news: News, facts: Facts) -> list[Subscription]:
        """Return the subscriptions that are told of ``news``."""
        return [one for one in self._subscriptions if self._hears(one, news, facts)]

    def _hears(self, one: Subscription, news: News, facts: Facts) -> bool:
        if news.at < to_micros(one.active_since) or not one.wants(news.topic, facts.job_type):
            return False
        if news.percent is not None and news.percent not in one.reminders:
            return False
        if one.owner_id is None:
            return True
        owner = self._owner(one.owner_id)
        if owner is None or owner.disabled:
            return False
        return not one.decidable or self._may_decide(owner, facts)

    def _may_decide(self, owner: User, facts: Facts) -> bool:
        if owner.role not in DECIDERS:
            return False
        actor = Actor(kind="user", id=owner.id, name=owner.name, role=Role(owner.role))
        policy = self._book.of(facts.job_type, action_of(facts.payload_head))
        escalated = facts.escalated_at is not None
        return not (
            asked_refusal(self._tx, actor, facts, policy, escalated=escalated)
            or self_approval_refusal(self._tx, actor, facts, self._setting, policy)
        )

    def _owner(self, owner_id: str) -> User | None:
        if owner_id not in self._owners:
            self._owners[owner_id] = find(self._tx, owner_id)
        return self._owners[owner_id]


def _percents(subscriptions: Sequence[Subscription]) -> list[int]:
    wanted = {
        percent
        for one in subscriptions
        if Topic.REMINDER in one.topics
        for percent in one.reminders
    }
    return sorted(wanted, reverse=True)


def _put(tx: Tx, one: Subscription, news: News, facts: Facts, body: str) -> bool:
    """Let ``one`` be told, at once or with others; return whether a message was made."""
    # A decision that can be taken back yet is told once it cannot.
    undoable = facts.undo_until if news.topic is Topic.DECIDED else None
    due = max(tx.now(), undoable or 0)
    until = one.gathers_until(news.topic, due, facts.expires_at)
    if until is not None:
        return digests.gather(tx, one.id, news, earliest=due, until=until)
    new = NewDelivery(
        id=new_id("msg"),
        subscription_id=one.id,
        event_key=news.key,
        topic=news.topic.value,
        body=body,
        due_at=due,
        job_id=facts.job_id,
        checkpoint_id=facts.id,
    )
    return outbox.put(tx, new)
