"""Groups of reviewers: read by whoever reads checkpoints, kept by who manages policies."""

from __future__ import annotations

from collections.abc import Sequence

from agent_console.domain.access import Actor, Permission, authorize
from agent_console.domain.errors import Conflict, Invalid, NotFound
from agent_console.domain.review_policies import Person
from agent_console.domain.reviewer_groups import (
    MAX_GROUPS,
    MAX_MEMBERS,
    MAX_NAME,
    MAX_NOTE,
    GroupChange,
    ReviewerGroup,
)
from agent_console.services.job_requests import text
from agent_console.services.review_policies import deciding, name_of
from agent_console.store import accounts, review_policies
from agent_console.store import reviewer_groups as store
from agent_console.store.database import Database
from agent_console.store.transactions import Tx


class GroupService:
    """Use cases of groups of reviewers. Every method checks the actor's permission itself."""

    def __init__(self, db: Database) -> None:
        """Work on ``db``."""
        self._db = db

    def page(self, actor: Actor) -> list[ReviewerGroup]:
        """Return all groups by name."""
        authorize(actor, Permission.CHECKPOINTS_READ)
        with self._db.read() as reader:
            return store.listed(reader)

    def create(
        self, actor: Actor, name: str, members: Sequence[str] = (), *, note: str = ""
    ) -> ReviewerGroup:
        """Make a group; members are named by account id or e-mail address.

        Raises:
            Forbidden: no permission.
            Invalid: a field is not acceptable, or there are too many groups.
            Conflict: the name is taken.
        """
        authorize(actor, Permission.POLICIES_MANAGE)

        def work(tx: Tx) -> ReviewerGroup:
            if len(store.listed(tx)) >= MAX_GROUPS:
                raise Invalid.field("name", f"there are {MAX_GROUPS} groups already.")
            people = _people(tx, "members", members)
            _check_size(len(people))
            return store.create(tx, _name(name), _note(note), people, actor)

        return self._db.write(work)

    def change(self, actor: Actor, group_id: str, change: GroupChange) -> ReviewerGroup:
        """Change a group; who is taken out of it is not asked by it any more, at once.

        Raises:
            Forbidden: no permission.
            Invalid: a field is not acceptable.
            NotFound: there is no such group.
            Conflict: the name is taken.
        """
        authorize(actor, Permission.POLICIES_MANAGE)

        def work(tx: Tx) -> ReviewerGroup:
            before = _locked(tx, group_id)
            add = _people(tx, "add", change.add)
            left = {one.strip().lower() for one in change.remove}
            emails = {one.id: one.email.lower() for one in accounts.users(tx)}
            remove = [
                one
                for one in before.members
                if one.id.lower() in left or emails.get(one.id) in left
            ]
            _check_size(len({one.id for one in (*before.members, *add)} - {r.id for r in remove}))
            return store.change(
                tx,
                before,
                name=before.name if change.name is None else _name(change.name),
                note=before.note if change.note is None else _note(change.note),
                add=add,
                remove=remove,
                actor=actor,
            )

        return self._db.write(work)

    def delete(self, actor: Actor, group_id: str) -> ReviewerGroup:
        """Delete a group that no policy asks any more; return it as it was.

        Raises:
            Forbidden: no permission.
            NotFound: there is no such group.
            Conflict: a policy that holds asks it.
        """
        authorize(actor, Permission.POLICIES_MANAGE)

        def work(tx: Tx) -> ReviewerGroup:
            group = _locked(tx, group_id)
            asking = [one.title for one in review_policies.current(tx) if one.names(group_id)]
            if asking:
                message = (
                    f"The review policy of {', '.join(asking[:5])} asks it; change that first."
                )
                raise Conflict(message, policies=[*asking])
            store.delete(tx, group, actor)
            return group

        return self._db.write(work)


def _locked(tx: Tx, group_id: str) -> ReviewerGroup:
    found = store.get(tx, group_id)
    if found is None:
        raise NotFound(f"There is no group {group_id}.")
    return found


def _people(tx: Tx, field: str, wanted: Sequence[str]) -> list[Person]:
    """Return the accounts that are named; only who may decide can be put into a group.

    Raises:
        Invalid: names the first that is none.
    """
    known, found = deciding(tx), dict[str, Person]()
    for number, one in enumerate(wanted):
        plain = one.strip().lower()
        account = next((user for user in known if plain in {user.id.lower(), user.email}), None)
        if account is None:
            raise Invalid.field(f"{field}.{number}", "is no account that may decide.")
        found[account.id] = Person(id=account.id, name=name_of(account))
    return list(found.values())


def _check_size(count: int) -> None:
    if count > MAX_MEMBERS:
        raise Invalid.field("members", f"at most {MAX_MEMBERS} members.")


def _name(name: str) -> str:
    plain = " ".join(name.split())
    text("name", plain, MAX_NAME)
    if not plain:
        raise Invalid.field("name", "is required.")
    return plain


def _note(note: str) -> str:
    text("note", note, MAX_NOTE)
    return note
