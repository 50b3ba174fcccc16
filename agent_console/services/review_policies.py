"""Review policies: read by whoever reads checkpoints, changed by those who may, in versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent_console.domain.access import Actor, Permission, Role, authorize
from agent_console.domain.errors import Invalid, NotFound
from agent_console.domain.records import User
from agent_console.domain.review_policies import (
    ALL_TYPES,
    DECIDING_ROLES,
    DEFAULT,
    ENDS,
    LIMITS,
    MOVES,
    SELF_APPROVALS,
    AtDeadline,
    Automatic,
    Deadline,
    Group,
    Person,
    Reviewers,
    ReviewPolicy,
    Terms,
)
from agent_console.domain.reviewer_groups import ReviewerGroup
from agent_console.services.catalog import Catalog
from agent_console.services.job_requests import MAX_NAME, text
from agent_console.store import accounts, reviewer_groups
from agent_console.store import review_policies as store
from agent_console.store.database import Database
from agent_console.store.reads import job_types
from agent_console.store.transactions import Queries, Tx

MAX_APPROVALS = 20
MAX_PEOPLE = 50
MAX_ASKED_GROUPS = 20
MAX_NOTE = 500  # characters
MAX_UNDO = 3_600  # seconds
SHORTEST, LONGEST = 60, 30 * 86_400  # seconds by which a deadline moves
MAX_EXTENSIONS = 20
MAX_REMINDERS = 5


class ReviewPolicyService:
    """Use cases of review policies. Every method checks the actor's permission itself."""

    def __init__(self, db: Database, catalog: Catalog) -> None:
        """Work on ``db``; ``catalog`` knows the handlers of this process."""
        self._db = db
        self._catalog = catalog

    def page(self, actor: Actor) -> list[ReviewPolicy]:
        """Return the policies that hold, that of all job types first, whether saved or not."""
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            found = store.current(reader)
        if not any(one.job_type == ALL_TYPES for one in found):
            found.append(DEFAULT)
        return sorted(found, key=lambda one: (one.job_type != ALL_TYPES, one.job_type, one.action))

    def get(self, actor: Actor, job_type: str, action: str = "") -> ReviewPolicy:
        """Return what holds for the type, or for an action of it: perhaps a more general policy.

        Raises:
            NotFound: there is no such job type.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            self._check_type(reader, job_type)
            return store.book(reader, [job_type]).of(job_type, action)

    def versions(self, actor: Actor, job_type: str, action: str = "") -> list[ReviewPolicy]:
        """Return the versions of exactly this policy, newest first; none were never saved.

        Raises:
            NotFound: there is no such job type.
        """
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            self._check_type(reader, job_type)
            return store.versions(reader, job_type, action)

    def people(self, actor: Actor) -> list[Person]:
        """Return the accounts that may be named in a policy, by name."""
        authorize(actor, Permission.POLICIES_MANAGE)
        with self._db.read() as reader:
            found = [Person(id=one.id, name=name_of(one)) for one in deciding(reader)]
        return sorted(found, key=lambda one: one.name.casefold())

    def save(
        self,
        actor: Actor,
        job_type: str,
        terms: Terms,
        *,
        action: str = "",
        base_version: int | None = None,
    ) -> ReviewPolicy:
        """Add a version that holds from now on, for checkpoints that are open already too.

        ``base_version`` is the version it was made from, 0 for none, None when it does not matter.
        People of ``terms`` are named by account id or e-mail address.

        Raises:
            NotFound: there is no such job type.
            Invalid: a field is not acceptable.
            Conflict: somebody else has saved another version meanwhile.
        """
        authorize(actor, Permission.POLICIES_MANAGE)
        _check_action(job_type, action)

        def work(tx: Tx) -> ReviewPolicy:
            self._check_type(tx, job_type)
            checked = _checked(terms, _Known(deciding(tx), reviewer_groups.listed(tx)))
            return store.save(tx, job_type, action, checked, base_version=base_version, actor=actor)

        return self._db.write(work)

    def remove(
        self, actor: Actor, job_type: str, *, action: str = "", base_version: int | None = None
    ) -> ReviewPolicy:
        """End the policy with a version that says so; return what holds instead.

        Raises:
            NotFound: there is no such policy.
            Conflict: somebody else has saved another version meanwhile.
        """
        authorize(actor, Permission.POLICIES_MANAGE)

        def work(tx: Tx) -> ReviewPolicy:
            before = store.latest(tx, job_type, action)
            if before is None or before.removed:
                raise NotFound("There is no such review policy.")
            store.save(
                tx,
                job_type,
                action,
                before.terms,
                base_version=base_version,
                actor=actor,
                removed=True,
            )
            return store.book(tx, [job_type]).of(job_type, action)

        return self._db.write(work)

    def _check_type(self, queries: Queries, job_type: str) -> None:
        if job_type == ALL_TYPES or self._catalog.describe(job_type) is not None:
            return
        if job_type not in job_types.stored(queries) and not store.has(queries, job_type):
            raise NotFound(f"There is no job type {job_type}.")


def deciding(queries: Queries) -> list[User]:
    """Return the accounts that may decide at all."""
    roles = {role.value for role in DECIDING_ROLES}
    return [one for one in accounts.users(queries) if not one.disabled and one.role in roles]


def name_of(user: User) -> str:
    """Return what an account is called."""
    return user.name or user.email


def _check_action(job_type: str, action: str) -> None:
    text("action", action, MAX_NAME)
    if action and job_type == ALL_TYPES:
        raise Invalid.field("action", "belongs to one job type, not to all of them.")


@dataclass(frozen=True, slots=True)
class _Known:
    """Who may be named in a policy."""

    users: Sequence[User]
    groups: Sequence[ReviewerGroup]


def _checked(terms: Terms, known: _Known) -> Terms:
    """Return the terms with accounts by id and name, reminders longest first.

    Raises:
        Invalid: names the field.
    """
    deciders = _people("deciders", terms.deciders, known)
    _between("requiredApprovals", terms.required_approvals, 1, MAX_APPROVALS)
    able = sum(deciders.admits(Role(one.role), one.id) for one in known.users)
    if terms.required_approvals > max(able, 1):
        raise Invalid.field("requiredApprovals", f"only {able} accounts of these may decide.")
    if terms.self_approval is not None and terms.self_approval not in SELF_APPROVALS:
        raise Invalid.field("selfApproval", f"must be one of {', '.join(SELF_APPROVALS)}.")
    if terms.undo_seconds is not None:
        _between("undoSeconds", terms.undo_seconds, 0, MAX_UNDO)
    text("note", terms.note, MAX_NOTE)
    return replace(
        terms,
        automatic=checked_automatic(terms.automatic),
        deciders=deciders,
        deadline=_checked_deadline(terms.deadline, known),
        remind_seconds=_checked_reminders(terms.remind_seconds),
    )


def checked_automatic(rule: Automatic) -> Automatic:
    """Return the rule as it is kept: without one there is nothing to be in shadow.

    Raises:
        Invalid: not such a severity.
    """
    if rule.up_to is None:
        return Automatic()
    if rule.up_to not in LIMITS:
        message = f"must be one of {', '.join(LIMITS)}: what is graver is for people."
        raise Invalid.field("automatic.upTo", message)
    return rule


def _checked_deadline(deadline: Deadline, known: _Known) -> Deadline:
    if deadline.last not in ENDS:
        raise Invalid.field("deadline.last", f"must be one of {', '.join(ENDS)}.")
    if deadline.then not in MOVES:
        return Deadline(then=deadline.then)
    _between("deadline.seconds", deadline.seconds, SHORTEST, LONGEST)
    if deadline.then is AtDeadline.EXTEND:
        _between("deadline.times", deadline.times, 1, MAX_EXTENSIONS)
        return replace(deadline, to=Deadline().to)
    return replace(deadline, times=1, to=_people("deadline.to", deadline.to, known))


def _checked_reminders(seconds: Sequence[int]) -> tuple[int, ...]:
    if len(seconds) > MAX_REMINDERS:
        raise Invalid.field("remindSeconds", f"at most {MAX_REMINDERS} reminders.")
    for number, one in enumerate(seconds):
        _between(f"remindSeconds.{number}", one, 1, LONGEST)
    return tuple(sorted(set(seconds), reverse=True))


def _people(field: str, reviewers: Reviewers, known: _Known) -> Reviewers:
    if not (reviewers.roles or reviewers.people or reviewers.groups):
        raise Invalid.field(field, "name a role, a person or a group: nobody could decide.")
    for number, role in enumerate(reviewers.roles):
        if role not in DECIDING_ROLES:
            listed = " or ".join(one.value for one in DECIDING_ROLES)
            raise Invalid.field(
                f"{field}.roles.{number}", f"must be {listed}: others cannot decide."
            )
    if len(reviewers.people) > MAX_PEOPLE:
        raise Invalid.field(f"{field}.people", f"at most {MAX_PEOPLE} people.")
    found: dict[str, Person] = {}
    for number, person in enumerate(reviewers.people):
        wanted = person.id.strip().lower()
        account = next((one for one in known.users if wanted in {one.id.lower(), one.email}), None)
        if account is None:
            message = "is no account that may decide."
            raise Invalid.field(f"{field}.people.{number}", message)
        found[account.id] = Person(id=account.id, name=name_of(account))
    return Reviewers(
        roles=tuple(dict.fromkeys(reviewers.roles)),
        people=tuple(found.values()),
        groups=_groups(field, reviewers.groups, known.groups),
    )


def _groups(
    field: str, wanted: Sequence[Group], known: Sequence[ReviewerGroup]
) -> tuple[Group, ...]:
    """Return the groups, which are named by id or name, with their members."""
    if len(wanted) > MAX_ASKED_GROUPS:
        raise Invalid.field(f"{field}.groups", f"at most {MAX_ASKED_GROUPS} groups.")
    found: dict[str, Group] = {}
    for number, one in enumerate(wanted):
        plain = one.id.strip()
        group = next(
            (g for g in known if g.id == plain or g.name.casefold() == plain.casefold()), None
        )
        if group is None:
            raise Invalid.field(f"{field}.groups.{number}", "is no group of reviewers.")
        found[group.id] = Group(group.id, group.name, tuple(p.id for p in group.members))
    return tuple(found.values())


def _between(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise Invalid.field(field, f"must be {least:,} to {most:,}.")
